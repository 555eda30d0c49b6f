# SPDX-License-Identifier: ISC
"""The page in headless Chromium: page_test.py PAGE|URL [FOLDER for screenshots]. Prints ok lines."""
import sys
import time

from browser import Browser
from page_api import HOSTILE, Api, device

failures = 0


def check(name, good, why=""):
    global failures
    failures += not good
    print(f"ok - {name}" if good else f"not ok - {name}: {why}", flush=True)


def shown(browser, n):
    return browser.wait(f"document.querySelectorAll('#map .port').length === {n}")


def small(page, folder):
    devices = [device(n) for n in range(100)] + [device(200, HOSTILE)]
    devices.append({"mac": "02:82:ff:00:00:01", "serial_number": "SN-new", "state": "new"})
    api, browser = Api(page, devices), Browser()
    try:
        browser.screen(1280, 800)
        browser.open(api.url)
        check("every camera is on the map", shown(browser, 102), browser.complaints)
        check("cameras are grouped by switch, one group for those without place",
              browser.ask("document.querySelectorAll('.switch').length") == 5,
              browser.ask("document.querySelectorAll('.switch').length"))
        check("states differ by shape", browser.ask(
            "new Set([...document.querySelectorAll('#map .port i')].map((i) => i.textContent)).size") == 4)
        hostile_things(browser)
        events_stream(api, browser)
        keyboard(browser, folder)
        pictures(browser, folder)
        check("no complaint of the browser: policy, network or script", not browser.complaints, browser.complaints)
        connection_comes_back(api, browser)
    finally:
        browser.close()


def hostile_things(browser):
    cell = "document.querySelector('[data-mac=\"02:82:00:00:00:c8\"]')"
    check("a hostile circuit-id is shown as text", "onerror" in browser.ask(cell + ".textContent"))
    check("and makes no element and runs nothing", browser.ask(
        "document.querySelectorAll('img').length + (window.hacked || 0)") == 0)


def events_stream(api, browser):
    browser.wait("document.getElementById('live').textContent === 'live'")
    changed = dict(api.devices["02:82:00:00:00:05"], state="provisioned", ip="10.20.9.9")
    api.devices[changed["mac"]] = changed
    event = {"id": "1", "time": "2026-01-02T03:04:05.000000Z", "event": "dhcp.reservation_created",
             "title": HOSTILE, "severity": "info", "mac": changed["mac"], "ip": "10.20.9.9"}
    api.tell(event)
    api.tell(event)
    check("an event appears as it happens, once", browser.wait(
        "document.querySelectorAll('#events li').length === 1") and browser.ask(
        "document.querySelector('#events b').textContent") == HOSTILE)
    check("and the camera on the map follows", browser.wait(
        "document.querySelector('[data-mac=\"02:82:00:00:00:05\"]').textContent.includes('10.20.9.9')"))


def keyboard(browser, folder):
    browser.key("/", 191, "/")
    check("/ goes to the search box", browser.ask("document.activeElement.id") == "query")
    browser.ask("document.getElementById('query').value = '0282.0000.0005'")
    browser.key("Enter", 13, "\r")
    check("Enter explains the camera found", browser.wait(
        "document.querySelector('#explain[open] li b')") and browser.ask(
        "document.getElementById('explain').textContent.includes('option 54')"), browser.ask(
        "document.getElementById('explain').textContent") + str(browser.complaints))
    check("its steps differ by shape: passed, stopped, not reached", browser.ask(
        "[...document.querySelectorAll('#explain li span')].map((s) => s.textContent.trim()).join('')") == "✓✗·")
    check("evidence from the wire is text there, too", browser.ask(
        "document.querySelectorAll('#explain img, #explain script').length") == 0)
    if folder:
        browser.picture(f"{folder}/page-explain.png")
    browser.key("Escape", 27)
    check("Escape closes it", browser.wait("!document.getElementById('explain').open"))
    browser.ask("document.getElementById('query').value = ''; applyFilter(); setEntrance(null);"
                "document.querySelector('#map .port').focus()")
    browser.key("ArrowRight", 39)
    check("arrow keys walk over the map", browser.ask(
        "document.activeElement === document.querySelectorAll('#map .port')[1]"))


def pictures(browser, folder):
    wide = "document.documentElement.scrollWidth <= window.innerWidth"
    for name, width, height, dark in (("wide", 1280, 800, False), ("dark", 1280, 800, True),
                                      ("narrow", 360, 740, False)):
        browser.screen(width, height, dark)
        check(f"nothing runs out of the {name} screen", browser.wait(wide, 3), browser.ask(
            "document.documentElement.scrollWidth"))
        if name == "dark":
            check("dark mode has a dark ground", browser.ask(
                "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((n) => n < 60)"))
        if folder:
            browser.picture(f"{folder}/page-{name}.png")


def connection_comes_back(api, browser):
    seen = len(api.followers)
    for follower in list(api.followers):
        follower.put(None)
    check("a lost stream is taken up again", seen == 1 and browser.wait(
        "document.getElementById('live').textContent === 'live'") and followers(api, 1))


def followers(api, n):
    until = time.monotonic() + 10
    while time.monotonic() < until and not (len(api.followers) == n and sum("follow=1" in a for a in api.asked) > 1):
        time.sleep(0.05)
    return len(api.followers) == n


def large(page, folder):
    api, browser = Api(page, [device(n) for n in range(10000)]), Browser()
    try:
        browser.screen(1280, 800)
        browser.open(api.url)
        check("10 000 cameras are shown", shown(browser, 10000), browser.complaints)
        spent = int(browser.ask("document.getElementById('map').dataset.renderMs"))
        check(f"10 000 cameras render in less than a second ({spent} ms)", spent < 1000)
        typed = browser.ask("""(() => { const t = performance.now();
            document.getElementById('query').value = 'sw-100'; applyFilter();
            void document.body.offsetHeight; return performance.now() - t; })()""")
        check(f"and are searched in less than half a second ({typed:.0f} ms)", typed < 500 and browser.ask(
            "document.querySelectorAll('#map .port:not(.hidden)').length") == 48)
        if folder:
            browser.picture(f"{folder}/page-10000.png")
    finally:
        browser.close()


def live(url, folder):
    """On a running tap82 that knows the two cameras of test_page_live.sh."""
    browser = Browser()
    try:
        browser.screen(1280, 800)
        browser.open(url)
        check("the page of a running tap82 shows its cameras", shown(browser, 2), browser.complaints)
        check("with state and port", browser.wait(
            "document.querySelector('.port.provisioned').textContent.includes('eth0/1')"))
        check("and its captures and servers", browser.wait(
            "document.getElementById('counters').textContent.includes('north')") and browser.ask(
            "document.querySelector('#counters .ok').textContent") == "up")
        check("and its events", browser.wait("document.querySelectorAll('#events li').length >= 4"))
        browser.ask("document.querySelector('.port.provisioned').click()")
        check("and explains", browser.wait("document.querySelectorAll('#explain[open] li').length >= 12"))
        check("under the policy that it is served with", not browser.complaints, browser.complaints)
        if folder:
            browser.picture(f"{folder}/page-live.png")
    finally:
        browser.close()


pictures_folder = sys.argv[2] if len(sys.argv) > 2 else None
if sys.argv[1].startswith("http:"):
    live(sys.argv[1], pictures_folder)
else:
    with open(sys.argv[1], encoding="utf-8") as source:
        html = source.read()
    small(html, pictures_folder)
    large(html, pictures_folder)
sys.exit(failures > 0)
