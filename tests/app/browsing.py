"""What tests of the page in a browser share."""

from contextlib import contextmanager

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PATIENCE_MS = 60_000


@contextmanager
def visiting(browser, page, *, size=DESK, may_fail=False, script=""):
    """Open the page in a browser that reaches only this computer; at the end nothing must have failed there."""
    context = browser.new_context(viewport=size, permissions=["camera"])
    context.add_init_script(script)
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    wrong = []

    def only_here(route):
        if route.request.url.startswith((page.url, "data:", "blob:")):
            route.continue_()
        else:
            wrong.append(f"asked for {route.request.url}")
            route.abort()

    context.route("**/*", only_here)
    # An answer or a film that is not wanted any more is broken off.
    tab.on("requestfailed", lambda request: request.failure == "net::ERR_ABORTED" or wrong.append(request.url))
    tab.on("response", lambda response: response.status < 400 or wrong.append(f"{response.status} {response.url}"))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda message: message.type != "error" or wrong.append(message.text))
    tab.goto(page.url)
    tab.get_by_role("heading", level=1).wait_for()
    yield tab
    context.close()
    assert may_fail or not wrong, wrong  # pytest explains assertions of test files only


def give(tab, path):
    """Choose a file on the tab that is shown."""
    tab.locator("[role=tabpanel]:visible input[type=file]").first.set_input_files(path)


def press(tab, name):
    tab.get_by_role("button", name=name, exact=True).click()
