from vlfau.paper.data_coverage import published_counts


def test_published_counts_are_those_of_the_fields_lists():
    assert published_counts("bp4d") == (146_847, 41)
    assert published_counts("disfa") == (130_814, 27)
