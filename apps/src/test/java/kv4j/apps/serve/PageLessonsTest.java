package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.Locator;
import kv4j.apps.lesson.Lessons;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Lessons on the page, gone through by keyboard. */
@Timeout(300)
@ExtendWith(Chromium.class)
class PageLessonsTest {
  private TestServer server;
  private LivePage page;

  @BeforeEach
  void start(Browser browser) {
    server = new TestServer();
    page = new LivePage(browser, server.server.url());
    page.find("#tab-lessons").click();
    page.page.waitForSelector("#lessons [data-lesson]");
  }

  @AfterEach
  void stop() {
    if (server != null) {
      page.checkComplaints();
      page.close();
      server.close();
    }
  }

  private void goThrough(String name) {
    page.find("[data-lesson=" + name + "]").press("Enter");
    page.page.waitForSelector("#lessons .lesson-step");
    for (int steps = 1; page.find("#lessons .lesson-question").count() == 0; steps++) {
      assertEquals(steps, page.find("#lessons .lesson-step").count());
      page.page.waitForSelector("#lessons .lesson-next:enabled, #lessons .lesson-question");
      Locator next = page.find("#lessons .lesson-next");
      if (next.count() > 0) {
        next.press("Enter");
      }
    }
  }

  @Test
  void everyLessonCanBeGoneThrough() {
    for (String name : Lessons.names()) {
      goThrough(name);
      String text = page.text("#lessons .lesson");
      assertTrue(text.contains("./kv4j "), text);
      assertEquals("", page.text("#lessons [role=status]"), name);
    }
  }

  @Test
  void chartsShowTheFiguresOfTheirTables() {
    goThrough("bits");
    Locator bars = page.find("#lessons .lesson-chart rect");
    assertEquals(4, bars.count());
    page.find("#lessons details summary").first().press("Enter");
    Locator cells = page.find("#lessons .lesson-chart td:nth-child(2)");
    for (int i = 0; i < 4; i++) {
      double value = Double.parseDouble(bars.nth(i).getAttribute("data-value"));
      double shown = Double.parseDouble(cells.nth(i).innerText());
      assertEquals(value, shown, 0.005 * Math.abs(value));
    }
  }

  @Test
  void heatMapsHaveACellForEachPair() {
    goThrough("attention");
    assertEquals(36, page.find("#lessons rect.heat").count());
  }
}
