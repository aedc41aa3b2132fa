"""`vlfau narrate`: verified facts in, a language model's words for them out, without what the facts do not support."""

from pathlib import Path

__all__ = ["narrate"]


def narrate(
    table: Path,
    /,
    *,
    server: str | None = None,
    model: str = "default",
    out: Path | None = None,
    timeout: float = 60.0,
    key_variable: str | None = None,
) -> int:
    """Let a language model of your choice put the results into other words, and check each of its sentences.

    The server receives the states, degrees and sides of the action units, measurements and events as text, but no
    picture and no name. It may only rephrase: every sentence is read back, and what the facts do not support is struck
    and reported. Without --server nothing is sent, and the facts are printed.

    Args:
        table: A results.jsonl of `vlfau predict`, or the NAME.events.csv of a video.
        server: Address of an OpenAI-compatible server (llama.cpp, Ollama, vLLM or a hosted service), such as
            http://localhost:8080/v1.
        model: Name of the server's model.
        out: File for the texts: one JSON line per face, with what was struck and why.
        timeout: Maximum time for one answer, in seconds.
        key_variable: Environment variable with the key of a hosted service.
    """
    import os

    from vlfau.cli.console import output_console
    from vlfau.errors import ConfigError
    from vlfau.files.atomic import replacing
    from vlfau.files.names import printable
    from vlfau.runs.chat_server import ChatServer
    from vlfau.runs.narration import as_json, facts_of_table, facts_of_video
    from vlfau.runs.narration import narrate as narrated

    if key_variable is not None and key_variable not in os.environ:
        raise ConfigError(f"the environment has no variable {key_variable}; set it to the service's key")
    key = None if key_variable is None else os.environ[key_variable]
    speaker = None if server is None else ChatServer(server, model, timeout, key)
    faces = facts_of_video(table) if table.suffix.lower() == ".csv" else list(facts_of_table(table))
    console = output_console()
    lines: list[str] = []
    for face in faces:
        title = ", ".join(f"{name} {value}" for name, value in face.source.items())
        console.print(title, style="bold", markup=False)
        if speaker is None:
            console.print("\n".join(face.facts.lines()), markup=False, highlight=False, soft_wrap=True)
            continue
        narrative = narrated(face.facts, speaker)
        lines.append(as_json(face, narrative))
        console.print(narrative.text, markup=False, highlight=False, soft_wrap=True)
        if narrative.is_own:
            console.print("(vlfau's own words; no sentence of the model was kept)", markup=False)
        for each in narrative.struck:
            console.print(f"struck: {each.sentence} ({each.reason})", style="yellow", markup=False, soft_wrap=True)
        if narrative.missing:
            console.print(f"not told: AU {', AU '.join(map(str, narrative.missing))}", style="yellow", markup=False)
    if not faces:
        console.print(f"{printable(table)} contains no faces", markup=False, soft_wrap=True)
    if speaker is None:
        console.print("nothing was sent; name a server with --server to have these facts put into words", markup=False)
    elif out is not None:
        with replacing(out) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
        console.print(f"texts: {out}", markup=False)
    return 0
