"""Players in a real browser, from a file: they play, follow, seek, fit and are told apart."""

import re

import numpy as np
import pytest
import soundfile
from strategies import note_list, scale_piece
from test_player import embedded

from musiclib.listening.player import Player, grid, head

LONG, SHORT = scale_piece(steps=800), scale_piece(root=57, steps=64, seed=1)  # 100 and 8 seconds
PLAYING = "[...document.querySelectorAll('audio')].map(audio => !audio.paused)"
TIME = "document.querySelector('audio').currentTime"
CURSOR = "document.querySelector('.mlp-cursor').getBoundingClientRect().left"
WIDTH = "document.querySelector('.mlp-roll').getBoundingClientRect().width"
LIT = """[...document.querySelector('.mlp-roll').querySelectorAll('i')]
         .map(box => box.className === 'mlp-lit')"""
LENGTHS = "[...document.querySelectorAll('audio')].map(audio => audio.duration)"
NOTE = ".mlp-roll i"
LOOKS = (NOTE, "borderLeftColor"), (NOTE, "backgroundColor"), (".mlp", "backgroundColor")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """A page like a notebook's: each output with its own style and script; three in all."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    viewport = '<meta name="viewport" content="width=device-width">'
    shown = [Player(LONG, "Long"), grid([Player(SHORT, "One"), Player(SHORT, "Two")])]
    body = "".join(f"<div>{output._repr_html_()}</div>" for output in shown)
    path.write_text(f'<!doctype html><meta charset="utf-8">{viewport}<title>p</title>{body}')
    return path


@pytest.fixture
def opened(open_page, outputs):
    opened = open_page(outputs)
    opened.page.wait_for_function("document.querySelector('audio').readyState > 0")
    return opened


def test_a_page_of_players_opens_from_a_file_and_asks_for_nothing(opened, outputs):
    assert opened.complaints == opened.outside == []
    assert [address for address in opened.requests if address[:5] != "data:"] == [outputs.as_uri()]
    opened.page.wait_for_function(f"{LENGTHS}.every(seconds => seconds > 0)")
    assert np.allclose(opened.page.evaluate(LENGTHS), [100, 8, 8], atol=0.3)


def test_play_moves_time_and_cursor_and_lights_what_sounds(opened):
    page, before = opened.page, opened.page.evaluate(CURSOR)
    page.click(".mlp-play >> nth=0")
    page.wait_for_function(f"{TIME} > 0.7")
    assert page.evaluate(PLAYING) == [True, False, False]
    page.click(".mlp-play >> nth=0")
    now = page.evaluate(TIME)
    assert page.evaluate(CURSOR) - before == pytest.approx(now / 100 * page.evaluate(WIDTH), abs=2)
    step = int(now / 0.125)
    assert page.evaluate(LIT) == [onset <= step < end for onset, end, _ in note_list(LONG)]
    assert opened.complaints == []


def test_one_player_sounds_at_a_time(opened):
    for number, playing in enumerate(np.eye(3, dtype=bool).tolist()):
        opened.page.click(f".mlp-play >> nth={number}")
        opened.page.wait_for_function(f"{PLAYING}[{number}]")
        opened.page.wait_for_timeout(50)
        assert opened.page.evaluate(PLAYING) == playing


def test_clicks_and_drags_seek(opened):
    page = opened.page
    one = "document.querySelectorAll('audio')[1].currentTime"
    box = page.locator(".mlp-roll >> nth=1").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + 50)
    assert page.evaluate(one) == pytest.approx(2, abs=0.05)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 80)
    page.mouse.move(box["x"] + box["width"] * 3 / 4, box["y"] + 80)
    assert page.evaluate(one) == pytest.approx(6, abs=0.05)
    page.mouse.up()
    page.mouse.move(box["x"] + 5, box["y"] + 80)
    assert page.evaluate(one) == pytest.approx(6, abs=0.05)


def test_keys_play_and_seek(opened):
    page = opened.page
    page.focus(".mlp-roll")
    steps = {"ArrowRight": 0.5, "PageUp": 2.5, "ArrowLeft": 2, "PageDown": 0, "End": 100, "Home": 0}
    for key, seconds in steps.items():
        page.keyboard.press(key)
        assert page.evaluate(TIME) == pytest.approx(seconds, abs=0.01), key
        spoken = page.get_attribute(".mlp-roll", "aria-valuetext")
        assert spoken.endswith(f"bar {min(int(seconds / 2) + 1, 50)}")
    page.keyboard.press(" ")
    page.wait_for_function(f"{TIME} > 0.2")
    page.focus(".mlp-play")
    page.keyboard.press(" ")
    assert page.evaluate(PLAYING) == [False] * 3


@pytest.mark.parametrize(("playing", "seeks"), [(True, 1), (False, 0)])
def test_sound_that_waits_for_ever_is_woken_by_a_seek_to_where_it_is(opened, playing, seeks):
    page = opened.page
    page.evaluate(
        """playing => {
        const audio = document.querySelector('audio');
        window.seeks = [];
        audio.addEventListener('seeking', () => window.seeks.push(audio.currentTime));
        Object.defineProperty(audio, 'paused', {value: !playing});
        Object.defineProperty(audio, 'readyState', {value: audio.HAVE_CURRENT_DATA});
        audio.dispatchEvent(new Event('waiting'));
    }""",
        playing,
    )
    page.wait_for_timeout(1500)
    assert page.evaluate("window.seeks") == [0] * seeks


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_long_roll_follows_the_cursor_and_turns_pages_where_motion_is_unwelcome(
    open_page, outputs, motion
):
    page = open_page(outputs, reduced_motion=motion).page
    page.focus(".mlp-roll")
    for _ in range(25):
        page.keyboard.press("PageUp")
    window = page.locator(".mlp-window >> nth=0").bounding_box()
    place = (page.evaluate(CURSOR) - window["x"]) / window["width"]
    assert place == pytest.approx(0.4, abs=0.01) if motion != "reduce" else 0.1 <= place <= 0.9
    page.click(".mlp-play >> nth=0")
    at = "document.querySelector('.mlp-window').scrollLeft"
    before = page.evaluate(at)
    page.wait_for_timeout(500)
    assert (page.evaluate(at) > before) == (motion != "reduce")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_players_fit_the_screen_and_struck_is_told_from_held_in_grey(
    open_page, outputs, width, scheme
):
    opened = open_page(outputs, width=width, scheme=scheme)
    assert opened.overflow == 0
    for figure in opened.page.locator(".mlp").all():
        box = figure.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
    struck, held, paper = luminances(opened.page)
    assert (paper > 0.8) == (scheme == "light")
    assert contrast(held, paper) > 3  # WCAG 2.2, 1.4.11
    assert contrast(struck, held) > 3


@pytest.mark.parametrize(("light", "scheme"), [("true", "dark"), ("false", "light")])
def test_the_theme_of_jupyterlab_goes_before_the_reader_s(open_page, outputs, light, scheme):
    page = open_page(outputs, scheme=scheme).page
    page.evaluate(f"document.body.setAttribute('data-jp-theme-light', '{light}')")
    assert (luminances(page)[2] > 0.8) == (light == "true")


def luminances(page):
    """Relative luminances of a note's edge, of its body and of the player's ground."""
    script = "([selector, of]) => getComputedStyle(document.querySelector(selector))[of]"
    colours = [page.evaluate(script, list(look)) for look in LOOKS]
    parts = np.array([re.findall(r"\d+", colour)[:3] for colour in colours], float) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


def contrast(one, other):
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def test_without_a_script_the_roll_stands_there_and_the_browser_plays(open_page, outputs):
    page = open_page(outputs, java_script_enabled=False).page
    assert page.locator(".mlp-roll i").count() == sum(
        map(len, map(note_list, (LONG, SHORT, SHORT)))
    )
    assert page.locator("audio[controls]").count() == page.locator("audio:visible").count() == 3
    assert page.locator(".mlp-play:visible").count() == 0


def test_a_page_of_its_own_has_one_head_and_sounds_beside_it(open_page, tmp_path):
    samples, rate = embedded((player := Player(SHORT, "Beside")).html())
    soundfile.write(tmp_path / "beside.mp3", samples, rate)
    page = f"<!doctype html><title>p</title>{head()}{player.html('beside.mp3')}"
    (tmp_path / "page.html").write_text(page)
    opened = open_page(tmp_path / "page.html")
    opened.page.click(".mlp-play")
    opened.page.wait_for_function(f"{TIME} > 0.2")
    assert opened.complaints == opened.outside == []


def test_a_sound_that_is_not_there_is_told(open_page, tmp_path):
    (tmp_path / "page.html").write_text(head() + Player(SHORT).html("nowhere.mp3"))
    page = open_page(tmp_path / "page.html").page
    page.wait_for_function(
        "document.querySelector('.mlp-time').textContent === 'the sound cannot be played'"
    )
