from xml.etree import ElementTree as ET

from tests.video.test_summary import an_event
from vlfau.runs.engine import run
from vlfau.video.elan import write_elan


def test_every_face_and_au_has_a_tier_with_its_events(tmp_path):
    (tmp_path / "out").mkdir()
    path, video = tmp_path / "out" / "a.mp4.eaf", tmp_path / "a b.mp4"
    events = [
        an_event(12, 0.2, 0.55, peak_intensity=3.4),
        an_event(12, 1.0, 2.0, peak_intensity=0.2),
        an_event(4, 0.5, 3.6, face_id=2, peak_prob=0.876),
    ]
    write_elan(path, events, video=video, au_ids=(12, 4), face_ids=[1, 2])
    document = ET.parse(path).getroot()
    assert document.tag == "ANNOTATION_DOCUMENT"
    media = document.find("HEADER/MEDIA_DESCRIPTOR").attrib
    assert media["MEDIA_URL"] == video.as_uri()
    assert media["RELATIVE_MEDIA_URL"] == "./../a b.mp4"
    times = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) for slot in document.iter("TIME_SLOT")}
    told = {
        tier.get("TIER_ID"): [
            (times[each.get("TIME_SLOT_REF1")], times[each.get("TIME_SLOT_REF2")], each.findtext("ANNOTATION_VALUE"))
            for each in tier.iter("ALIGNABLE_ANNOTATION")
        ]
        for tier in document.iter("TIER")
    }
    assert told == {
        "face 1 AU4 Brow Lowerer": [],
        "face 1 AU12 Lip Corner Puller": [(200, 550, "C"), (1000, 2000, "A")],
        "face 2 AU4 Brow Lowerer": [(500, 3600, "0.88")],
        "face 2 AU12 Lip Corner Puller": [],
    }
    types = {each.get("LINGUISTIC_TYPE_ID") for each in document.iter("LINGUISTIC_TYPE")}
    assert {tier.get("LINGUISTIC_TYPE_REF") for tier in document.iter("TIER")} <= types


def test_a_run_writes_an_elan_file_beside_the_events(tiny_bundle, face_mp4, tmp_path):
    run(face_mp4, model=tiny_bundle.folder, out=tmp_path / "out", elan=True, describe="never")
    document = ET.parse(tmp_path / "out" / "face.mp4.eaf").getroot()
    assert document.find("TIER").get("PARTICIPANT") == "face 1"
    assert document.find("HEADER/MEDIA_DESCRIPTOR").get("MEDIA_URL") == face_mp4.as_uri()
