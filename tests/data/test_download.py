"""A download comes whole or not at all, on whatever network. The server runs on this machine."""

from __future__ import annotations

import hashlib
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from data.server import Server, broken, halting, ranged, stalled, status, whole
from phasezoo.data.download import DownloadError, download_folder, fetch, kept_at
from phasezoo.data.transfer import Patience

CONTENT = bytes(range(256)) * 2000  # 512,000 bytes: several blocks
SHA = hashlib.sha256(CONTENT).hexdigest()
OTHER = CONTENT[::-1]
QUICK = Patience(tries=3, pause=0.01, connect=20, stall=20, every=0)
HASTY = replace(QUICK, stall=0.5)


def there(folder: Path) -> list[str]:
    """What is kept, but for locks."""
    return sorted(p.name for p in folder.iterdir() if p.suffix != ".lock")


def got(server: Server, folder: Path, patience: Patience = QUICK) -> bytes:
    """What `fetch` brings; nothing but the file is left."""
    path = fetch(server.url, SHA, folder, patience)
    assert there(folder) == [path.name]
    return path.read_bytes()


def refusal(url: str, folder: Path, sha256: str = SHA, patience: Patience = QUICK) -> str:
    with pytest.raises(DownloadError) as error:
        fetch(url, sha256, folder, patience)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def test_a_file_is_fetched_once(tmp_path: Path) -> None:
    with Server(whole(CONTENT)) as server:
        assert got(server, tmp_path / "new" / "folder") == CONTENT
        assert got(server, tmp_path / "new" / "folder") == CONTENT
        assert server.asked == [None]


def test_a_file_that_is_there_needs_no_server_and_no_writing(tmp_path: Path) -> None:
    url = "https://nowhere.invalid/a/my%20set.npz"
    path = kept_at(url, SHA.upper(), tmp_path)
    assert path.name == f"{SHA[:16]}-my_set.npz"
    path.write_bytes(CONTENT)
    assert fetch(url, SHA.upper(), tmp_path) == path
    assert list(tmp_path.iterdir()) == [path]


def test_a_broken_transfer_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    with Server(broken(CONTENT, 200_000), broken(CONTENT, 150_000), ranged(CONTENT)) as server:
        assert got(server, tmp_path) == CONTENT
    first, second, third = server.asked
    assert first is None
    assert 100_000 < int(second.removeprefix("bytes=").removesuffix("-")) <= 200_000
    assert 200_000 < int(third.removeprefix("bytes=").removesuffix("-")) <= 350_000


def test_breaking_off_is_no_reason_to_give_up_while_more_and_more_comes(tmp_path: Path) -> None:
    with Server(*[broken(CONTENT, 70_000)] * 12, ranged(CONTENT)) as server:
        assert got(server, tmp_path) == CONTENT
    assert len(server.asked) > QUICK.tries + 1


def test_a_server_without_ranges_sends_it_whole_again(tmp_path: Path) -> None:
    with Server(broken(CONTENT, 200_000, ranges=False), whole(CONTENT)) as server:
        assert got(server, tmp_path) == CONTENT
    assert len(server.asked) == 2
    assert server.asked[1] is not None


def test_a_server_that_always_breaks_off_at_the_same_byte_is_given_up(tmp_path: Path) -> None:
    with Server(broken(CONTENT, 200_000, ranges=False)) as server:
        text = refusal(server.url, tmp_path)
    assert "got a transfer that broke off, 3 times in a row" in text
    assert len(server.asked) == 1 + QUICK.tries  # the first brought something


def test_a_later_call_goes_on_with_what_came(tmp_path: Path) -> None:
    with Server(broken(CONTENT, 200_000), status(503)) as server:
        refusal(server.url, tmp_path)
        (part,) = there(tmp_path)
        have = (tmp_path / part).stat().st_size
        assert part == f"{kept_at(server.url, SHA, tmp_path).name}.part"
        assert (tmp_path / part).read_bytes() == CONTENT[:have] != b""
        server._answers = [ranged(CONTENT)]
        assert got(server, tmp_path) == CONTENT
    assert server.asked[-1] == f"bytes={have}-"


def test_a_killed_download_is_resumed(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from phasezoo.data.download import fetch\n"
        "from phasezoo.data.transfer import Patience\n"
        "fetch(*sys.argv[1:3], Path(sys.argv[3]), Patience(every=0), lambda line: print(line, "
        "flush=True))"
    )
    with Server(stalled(CONTENT, 200_000), ranged(CONTENT)) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", script, server.url, SHA, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert any("0.1 MB of 0.5 MB" in line for line in process.stdout)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        for left in tmp_path.glob("tmp*"):  # the empty file that pooch had made
            left.unlink()
        assert got(server, tmp_path) == CONTENT
    begin = int(server.asked[1].removeprefix("bytes=").removesuffix("-"))
    assert 65_536 <= begin <= 200_000


def test_a_stalled_transfer_is_taken_up_again(tmp_path: Path) -> None:
    with Server(stalled(CONTENT, 200_000), ranged(CONTENT)) as server:
        assert got(server, tmp_path, HASTY) == CONTENT
    assert server.asked[0] is None
    assert server.asked[1].startswith("bytes=")


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    def silent(request) -> None:
        request.server.resume.wait(60)

    with Server(silent) as server:
        text = refusal(server.url, tmp_path, patience=HASTY)
    assert "got nothing for 0.5 s, 3 times in a row" in text


def test_a_server_in_trouble_is_asked_again(tmp_path: Path) -> None:
    answers = [status(500), status(503), whole(CONTENT)]
    with Server(*answers) as server:
        assert got(server, tmp_path) == CONTENT
    assert len(server.asked) == 3


@pytest.mark.parametrize("code", [500, 429])
def test_a_server_that_stays_in_trouble_is_asked_a_stated_number_of_times(
    tmp_path: Path, code: int
) -> None:
    with Server(status(code)) as server:
        assert f"got HTTP {code} " in refusal(server.url, tmp_path)
    assert len(server.asked) == QUICK.tries


@pytest.mark.parametrize(("code", "words"), [(404, "Not Found"), (403, "Forbidden"), (204, "No")])
def test_a_file_that_is_not_there_is_asked_for_once(tmp_path: Path, code: int, words: str) -> None:
    with Server(status(code)) as server:
        text = refusal(server.url, tmp_path)
        path = kept_at(server.url, SHA, tmp_path)
    assert text.startswith(f"{server.url}: got HTTP {code} {words}")
    assert text.endswith(f"; allowed: a file there, or put the one with sha256 {SHA} at {path}")
    assert server.asked == [None]
    assert there(tmp_path) == []


def test_a_wrong_file_is_removed_and_never_used(tmp_path: Path) -> None:
    with Server(whole(OTHER)) as server:
        text = refusal(server.url, tmp_path)
    wrong = hashlib.sha256(OTHER).hexdigest()
    assert text == f"{server.url}: got sha256 {wrong}; allowed: {SHA}; removed it"
    assert there(tmp_path) == []
    assert server.asked == [None]


def test_the_beginning_of_another_file_costs_one_more_transfer(tmp_path: Path) -> None:
    with Server(ranged(CONTENT)) as server:
        path = kept_at(server.url, SHA, tmp_path)
        path.with_name(f"{path.name}.part").write_bytes(OTHER[:1000])
        assert got(server, tmp_path) == CONTENT
    assert server.asked == ["bytes=1000-", None]


def test_a_part_that_is_all_of_it_is_used(tmp_path: Path) -> None:
    with Server(ranged(CONTENT)) as server:
        path = kept_at(server.url, SHA, tmp_path)
        path.with_name(f"{path.name}.part").write_bytes(CONTENT)
        assert got(server, tmp_path) == CONTENT
    assert server.asked == [f"bytes={len(CONTENT)}-"]


def test_a_part_that_is_too_long_costs_one_more_transfer(tmp_path: Path) -> None:
    with Server(ranged(CONTENT)) as server:
        path = kept_at(server.url, SHA, tmp_path)
        path.with_name(f"{path.name}.part").write_bytes(CONTENT + b"more")
        assert got(server, tmp_path) == CONTENT
    assert len(server.asked) == 2


def test_answers_in_parts_are_put_together(tmp_path: Path) -> None:
    with Server(ranged(CONTENT, at_most=100_000)) as server:
        path = kept_at(server.url, SHA, tmp_path)
        path.with_name(f"{path.name}.part").write_bytes(CONTENT[:100_000])
        assert got(server, tmp_path) == CONTENT
    assert server.asked == [f"bytes={n}00000-" for n in range(1, 6)]


def test_bytes_that_were_not_asked_for_are_not_put_in(tmp_path: Path) -> None:
    said: list[str] = []
    span = f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}"
    shifted = lambda request: request.say(206, CONTENT[5:], Content_Range=span)  # noqa: E731
    with Server(broken(CONTENT, 200_000), shifted, whole(CONTENT)) as server:
        assert fetch(server.url, SHA, tmp_path, QUICK, said.append).read_bytes() == CONTENT
    assert server.asked[2] is None
    assert any("bytes from 5 on, which were not asked for at 0.0 MB" in line for line in said)


def test_a_server_that_states_no_length_and_breaks_off_is_asked_once_more(tmp_path: Path) -> None:
    short = lambda request: request.say(200, CONTENT[:300], Content_Length=None)  # noqa: E731
    with Server(short, whole(CONTENT)) as server:
        assert got(server, tmp_path) == CONTENT
    assert server.asked == [None, None]


def test_offline_the_message_says_where_to_put_the_file(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # nobody listens
        url = f"http://127.0.0.1:{free.getsockname()[1]}/set.npz"
        text = refusal(url, tmp_path)
        assert "got no connection, 3 times in a row; allowed: a file there, or put" in text
        path = Path(text.split(" at ")[-1])
        path.write_bytes(OTHER)
        refusal(url, tmp_path)
        assert not path.exists()
        path.write_bytes(CONTENT)
        assert fetch(url, SHA, tmp_path) == path


def test_two_jobs_download_a_file_once(tmp_path: Path) -> None:
    said: list[str] = []
    found: list[Path] = []

    def job() -> None:
        found.append(fetch(server.url, SHA, tmp_path, Patience(stall=60), said.append))

    with Server(halting(CONTENT)) as server:
        jobs = [threading.Thread(target=job) for _ in range(2)]
        for thread in jobs:
            thread.start()
        while not any("another job downloads it: waits" in line for line in said):
            assert all(thread.is_alive() for thread in jobs)
            time.sleep(0.01)
        server.resume.set()
        for thread in jobs:
            thread.join()
    assert found == [kept_at(server.url, SHA, tmp_path)] * 2
    assert server.asked == [None]


@pytest.mark.parametrize(
    "url", ["file:///etc/hostname", "ftp://127.0.0.1/a", "set.npz", "http://", "http://a b/c", ""]
)
def test_only_the_web_is_asked(tmp_path: Path, url: str) -> None:
    text = refusal(url, tmp_path / "unmade")
    assert text.startswith(f"url: got {url!r}; allowed: an address that begins with http:// or")
    assert not (tmp_path / "unmade").exists()


def test_no_redirect_leaves_the_web(tmp_path: Path) -> None:
    with Server(status(302, Location="file:///etc/hostname")) as server:
        text = refusal(server.url, tmp_path)
    assert "got an address of no use (InvalidSchema)" in text


def test_a_checksum_is_demanded(tmp_path: Path) -> None:
    text = refusal("http://127.0.0.1/a", tmp_path, sha256="abc")
    assert text == "sha256: got 'abc'; allowed: the 64 hexadecimal digits of a SHA-256 checksum"


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    text = refusal("http://127.0.0.1/a", tmp_path / "file")
    assert text.startswith(f"{tmp_path / 'file'}: got 'File exists'; allowed: a folder")


def test_progress_is_said_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "phasezoo")
    with Server(broken(CONTENT, 200_000), ranged(CONTENT)) as server:
        got(server, tmp_path)
    lines = [line.removeprefix(f"{server.url}: ") for line in caplog.messages]
    assert lines[0] == f"download to {kept_at(server.url, SHA, tmp_path)}"
    assert "0.1 MB of 0.5 MB" in lines
    assert "a transfer that broke off at 0.2 MB; tries again in 0.01 s" in lines
    assert lines[-1] == "all 0.5 MB are here"


def test_downloads_lie_in_the_project_unless_the_machine_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert download_folder({}) == tmp_path / ".phasezoo/downloads"
    assert download_folder({"PHASEZOO_CACHE": "/scratch/x"}) == Path("/scratch/x")
