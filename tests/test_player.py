"""What stands in a player's HTML: notes, boxes, words, sound and MIDI; and what is refused."""

import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from hypothesis import given
from strategies import hand_states, legal_states, note_list, random_states, scale_piece

from musiclib.base.errors import InputError
from musiclib.listening.player import Player, head
from musiclib.music.note_states import read_note_states

NASTY = "</script><script>alert(1)</script> \"double\" 'single' & <b>bold</b>"


class Parts(HTMLParser):
    """Every tag with its attributes, and the text directly inside each kind of tag."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.open = [], {}, [None]
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        self.open.pop()

    def handle_data(self, data):
        self.text.setdefault(self.open[-1], []).append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def parts_of(states, **options):
    return Parts(Player(states, **options).html("x.mp3"))


def places(parts):
    """(x, w, y) of each box that is a note."""
    styles = [attrs["style"] for attrs in parts.all("i") if "style" in attrs]
    return [tuple(map(int, re.findall(r"--[xwy]:(\d+)", style))) for style in styles]


def test_titles_and_remarks_are_text_and_never_tags():
    parts = Parts(Player(scale_piece(), NASTY, key=NASTY, note=NASTY).html('a" onerror="b'))
    assert {tag for tag, _ in parts.tags} == {"figure", "figcaption", "strong", "span", "div", "b",
        "i", "button", "audio", "a", "script"}  # fmt: skip
    assert parts.text["strong"] == [NASTY]
    assert len(parts.all("script")) == 1
    assert parts.all("audio")[0]["src"] == 'a" onerror="b'
    assert NASTY in parts.all("audio")[0]["aria-label"]


def test_a_title_of_bytes_that_are_no_text_can_be_written():
    assert "caf\\udce9" in Player(scale_piece(), "caf\udce9").html("x.mp3").encode().decode()


@given(legal_states(max_steps=60))
def test_notes_stand_in_the_page_as_numbers_and_as_boxes(states):
    parts = parts_of(states, tempo=600_000, bar=12)
    data, notes = json.loads(parts.text["script"][0]), note_list(states)
    assert data["notes"] == [list(note) for note in notes]
    assert (data["step"], data["steps"], data["bar"]) == (0.15, len(states), 12)
    found = places(parts)
    assert [(x, x + w) for x, w, _ in found] == [(on, end) for on, end, _ in notes]
    assert len({y + pitch for (_, _, y), (_, _, pitch) in zip(found, notes, strict=True)}) <= 1


def test_octaves_are_named_beside_the_rows_of_c():
    html = Player(hand_states(16, (60, 0, 4), (48, 4, 4), (83, 8, 4))).html("x.mp3")
    rows = dict(re.findall(r'<span style="--y:(\d+)">(C-?\d)</span>', html))
    (c4, c3, _) = [y for _, _, y in places(Parts(html))]
    assert (rows[str(c4)], rows[str(c3)]) == ("C4", "C3")


def test_bars_are_numbered_where_there_is_room():
    html = Player(hand_states(27, (60, 0, 4)), bar=12).html("x.mp3")
    bars = re.findall(r'<b style="--x:(\d+)">(\d*)</b>', html)
    assert bars == [("0", "1"), ("12", "2"), ("24", "")]


def test_what_is_seen_is_said_in_words():
    player = Player(hand_states(40, (60, 0, 4)), "A note", key="C major", tempo=1_000_000)
    assert player.facts == "1 note · 3 bars · 0:10 · C major"
    label = "Piano roll: A note, 1 note · 3 bars · 0:10 · C major"
    assert f'role="img" aria-label="{label}"' in player.html("x.mp3")
    assert repr(player) == "Player of A note: 1 note · 3 bars · 0:10 · C major"


def test_the_link_is_the_midi_file(tmp_path):
    states = random_states(64, seed=3)
    (link,) = parts_of(states, title="My piece, no. 1").all("a")
    assert link["download"] == "my-piece-no-1.mid"
    (tmp_path / "piece.mid").write_bytes(base64.b64decode(link["href"].split(",")[1]))
    assert np.array_equal(read_note_states(tmp_path / "piece.mid"), states)


def embedded(html):
    """Samples and rate of the sound in a player."""
    kind, content = Parts(html).all("audio")[0]["src"].split(";base64,")
    assert kind.startswith("data:audio/")
    return soundfile.read(io.BytesIO(base64.b64decode(content)))


def test_the_embedded_sound_is_as_long_as_the_piece_and_not_silent():
    player = Player(scale_piece(steps=64))
    samples, rate = embedded(player.html())
    assert abs(len(samples) / rate - 8) < 0.3
    assert np.sqrt(np.mean(samples**2)) > 0.01


def test_a_piece_of_silence_has_a_player_too():
    parts = parts_of(np.zeros((32, 78, 2), np.uint8))
    assert json.loads(parts.text["script"][0])["notes"] == places(parts) == []


def test_players_are_light():
    """What 25 of them cost beside their sound is less than a picture."""
    html, notes = Player(scale_piece(steps=256)).html("x.mp3"), 64 * 5
    assert len(html) < 2_000 + 60 * notes
    assert len(head()) < 13_000


@pytest.mark.parametrize("wrong", [np.zeros((0, 78, 2)), np.zeros((5, 88, 2)), np.zeros((5, 78))])
def test_other_shapes_are_refused(wrong):
    with pytest.raises(InputError, match=re.escape(str(wrong.shape))):
        Player(wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"bar": 0}, {"tempo": 0}, {"bar": 2.5}, {"tempo": 20_000_000}, {"tempo": float("nan")}],
)
def test_bars_and_beats_that_are_none_are_refused(wrong):
    [(name, value)] = wrong.items()
    with pytest.raises(InputError, match=f"{name} {value}: give a whole number from 1 to"):
        Player(scale_piece(), **wrong)
