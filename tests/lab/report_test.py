# SPDX-License-Identifier: ISC
"""The page of replay --report in headless Chromium: report_test.py FILE [FOLDER for screenshots]."""
import sys

from browser import Browser

CONTRAST = """(() => {
    const light = (e, what) => getComputedStyle(e)[what].match(/\\d+/g).slice(0, 3)
        .map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
    const ground = light(document.body, "backgroundColor");
    return Math.min(...[...document.querySelectorAll("a, td, th, time, h2, .badge, .facts")].map((e) => {
        const text = light(e, "color");
        return (Math.max(text, ground) + .05) / (Math.min(text, ground) + .05);
    }));
})()"""
failures = 0


def check(name, good, why=""):
    global failures
    failures += not good
    print(f"ok - {name}" if good else f"not ok - {name}: {why}", flush=True)


browser = Browser()
try:
    for name, width, height, dark in (("wide", 1280, 900, False), ("dark", 1280, 900, True), ("narrow", 360, 740, False)):
        browser.screen(width, height, dark)
        browser.open("file://" + sys.argv[1])
        browser.wait("document.readyState === 'complete' && document.querySelector('h2')")
        run_out = browser.ask("document.documentElement.scrollWidth - window.innerWidth")
        check(f"report: nothing runs out of the {name} screen", run_out <= 0, f"{run_out} px")
        contrast = browser.ask(CONTRAST)
        check(f"report: {name}: every text stands out from its ground", contrast >= 4.5, contrast)
        if len(sys.argv) > 2:
            browser.picture(f"{sys.argv[2]}/report-{name}.png")
    check("report: no complaint of the browser", not browser.complaints, browser.complaints)
finally:
    browser.close()
sys.exit(failures > 0)
