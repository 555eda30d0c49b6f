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
        tells(api, browser)
        states(browser)
        keyboard(browser, folder)
        pictures(browser, folder)
        check("no complaint of the browser: policy, network or script", not browser.complaints, browser.complaints)
        connection_comes_back(api, browser)
        addressed(api, browser)
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
        check(f"and nothing is cut off in the {name} heading of a switch", browser.ask(
            "[...document.querySelectorAll('.switch h3')].every((h) => h.scrollWidth <= h.clientWidth)"))
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


def states(browser):
    """Only the failed ones, by keyboard; and back."""
    failed = "document.querySelector('#counters [data-state=failed]')"
    visible = "[...document.querySelectorAll('#map .port:not(.hidden)')]"
    count = int(browser.ask(failed + ".querySelector('b').textContent"))
    check("each switch says how many of its cameras need somebody", browser.ask(
        "document.querySelector('.switch h3').textContent.includes('48 cameras') && "
        "document.querySelector('.switch h3').textContent.includes('✕ 8 failed')"), browser.ask(
        "document.querySelector('.switch h3').textContent"))
    browser.ask(failed + ".focus()")
    browser.key("Enter", 13, "\r")
    check("a state's counter shows only its cameras", browser.wait(
        f"{failed}.getAttribute('aria-pressed') === 'true' && document.activeElement === {failed}") and browser.ask(
        f"{visible}.every((p) => p.classList.contains('failed')) ? {visible}.length : 0") == count)
    browser.key("Enter", 13, "\r")
    check("and all of them again", browser.wait(f"{visible}.length === 102"))
    check("the title says how many failed", browser.ask("document.title") == f"✕ {count} tap82")


def tells(api, browser):
    for number, severity in ((2, "warning"), (3, "error")):
        api.tell({"id": str(number), "time": "2026-01-02T03:04:06.000000Z", "event": "camera.moved", "title": "Moved",
                  "severity": severity, "mac": "02:82:00:00:00:07"})
    check("events differ by shape, and an old one has its day", browser.wait(
        "document.querySelectorAll('#events li').length === 3") and browser.ask(
        "[...document.querySelectorAll('#events li')].map((e) => e.textContent[20] + e.querySelector('time').textContent)"
        ".join('')").startswith("✕2026-01-02 03:04:06▲2026-01-02 03:04:06<2026"), browser.ask(
        "document.getElementById('events').textContent"))


def addressed(api, browser):
    browser.open(api.url + "#02:82:00:00:00:05")
    check("an address that ends with #MAC opens that camera", browser.wait(
        "document.querySelector('#explain[open] li b')"))
    browser.key("Escape", 27)
    check("and no longer does when it was closed", browser.wait("location.hash === ''"))


def huge(page):
    """A table that no map can show: those that need somebody are asked for."""
    api, browser = Api(page, [device(n) for n in range(30)], tables={
        "devices": 1000000, "provisioned": 999000, "reserving": 300, "failed": 200, "new": 500}), Browser()
    try:
        browser.screen(1280, 800)
        browser.open(api.url)
        check("of a million cameras those are shown that need somebody", shown(browser, 10) and not any(
            path == "/v1/devices" for path in api.asked), api.asked)
        check("and it is said", "1,000,000" in browser.ask("document.getElementById('note').textContent"))
        check("the counters are those of the table", browser.ask(
            "document.querySelector('#counters [data-state=provisioned] b').textContent") == "999,000")
    finally:
        browser.close()


def large(page, folder):
    api, browser = Api(page, [device(n) for n in range(10000)]), Browser()
    try:
        browser.screen(1280, 800)
        browser.open(api.url)
        check("10 000 cameras are shown", shown(browser, 10000), browser.complaints)
        drawn = browser.wait("document.getElementById('map').dataset.renderMs")
        spent = browser.processor_time()
        check(f"10 000 cameras render in less than a second of a processor ({spent:.2f} s)", drawn and spent < 1)
        browser.ask("""document.getElementById('query').value = 'sw-100'; applyFilter();
            void document.body.offsetHeight; 0""")
        typed = browser.processor_time() - spent
        check(f"and are searched in less than a fifth of one ({typed:.2f} s)", typed < 0.2 and browser.ask(
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
            "document.querySelector('#counters .ok').textContent") == "✓ up")
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
    huge(html)
sys.exit(failures > 0)
