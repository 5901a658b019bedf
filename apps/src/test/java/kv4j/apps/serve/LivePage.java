package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;

/** A server's page in a browser, and what people see and do there. */
final class LivePage implements AutoCloseable {
  /** The page's own state, of which only a part is in sight. */
  private static final String PLAYER =
      "async () => { const { player } = await import('/js/main.js'); ";

  final Page page;
  private final BrowserContext context;
  private final List<String> complaints = new ArrayList<>();

  /** Opens it, and waits until it is connected. */
  LivePage(Browser browser, String url) {
    this(browser, url, 1440, 900);
    page.waitForSelector("#connection[data-state=live]");
  }

  LivePage(Browser browser, String url, int width, int height) {
    context = browser.newContext(new Browser.NewContextOptions().setViewportSize(width, height));
    context.setDefaultTimeout(60_000);
    page = context.newPage();
    page.onConsoleMessage(
        message -> {
          if (message.type().equals("error") || message.type().equals("warning")) {
            complaints.add(message.text());
          }
        });
    page.onPageError(complaints::add);
    page.onDialog(dialog -> complaints.add("a dialog: " + dialog.message()));
    page.navigate(url);
  }

  Locator find(String selector) {
    return page.locator(selector);
  }

  String text(String selector) {
    return page.locator(selector).innerText();
  }

  /** What an expression over {@code player} gives. */
  JsonNode player(String expression) {
    try {
      return TestServer.JSON.readTree(
          (String) page.evaluate(PLAYER + "return JSON.stringify(" + expression + ") }"));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Waits until an expression over {@code player} is true, looking at each frame. */
  void await(String expression) {
    page.evaluate(
        PLAYER
            + "const end = Date.now() + 60000; while (!("
            + expression
            + ")) { await new Promise(requestAnimationFrame);"
            + " if (Date.now() > end) throw new Error('in vain: "
            + expression.replace("'", "\\'")
            + "') } }");
  }

  /** Has the page load itself anew, and waits until it has begun to. */
  void awaitReload(Runnable cause) {
    page.evaluate("() => { window.isOld = true }");
    cause.run();
    page.waitForFunction("() => !window.isOld");
  }

  /** The tree that the page knows of. */
  SortedMap<Long, FollowerTree.Run> tree() {
    return FollowerTree.of(player("{ runs: [...player.store.runs.values()] }"));
  }

  /** Waits until the page knows of all that has happened in the cache. */
  void awaitAll(TestServer server) {
    long last = server.get("/cache").at("/number").longValue();
    await("player.events.some(({ data }) => data.number >= " + last + ")");
    assertEquals(FollowerTree.of(server.get("/cache").json()), tree());
    awaitDrawn();
  }

  /** Waits until what the page knows of can be seen. */
  void awaitDrawn() {
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  }

  /** Runs in sight, by their ids. */
  List<Long> runsInSight() {
    return find("#tree-canvas .run[data-key]").all().stream()
        .map(run -> Long.valueOf(run.getAttribute("data-key").replace("run ", "")))
        .sorted()
        .toList();
  }

  /** How many tokens of a kind the strip of a request or a run shows. */
  int tokens(String kind) {
    Locator stretch = find("#details .stretch[data-kind=" + kind + "]");
    return stretch.count() == 0 ? 0 : Integer.parseInt(stretch.getAttribute("data-tokens"));
  }

  /** The browser found nothing wrong. */
  void checkComplaints() {
    assertEquals(List.of(), complaints);
  }

  @Override
  public void close() {
    context.close();
  }
}
