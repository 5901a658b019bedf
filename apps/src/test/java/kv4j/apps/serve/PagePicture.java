package kv4j.apps.serve;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import kv4j.apps.Main;

/**
 * Draws the pictures of the page that documentation shows, of a real run: its arguments are the
 * folder to draw into and those of {@code kv4j serve}.
 */
final class PagePicture {
  private static final Pattern ADDRESS = Pattern.compile("answers at (\\S+);");

  private PagePicture() {}

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
    command.addAll(List.of(System.getProperty("java.class.path"), Main.class.getName(), "serve"));
    command.addAll(List.of("--port", "0"));
    command.addAll(List.of(args).subList(1, args.length));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (BufferedReader lines = process.inputReader();
        Chromium.Running chromium = Chromium.launch()) {
      String url = address(lines);
      try (LivePage page = new LivePage(chromium.browser(), url)) {
        draw(page, folder);
      }
    } finally {
      process.destroy();
    }
  }

  private static String address(BufferedReader lines) throws IOException {
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      Matcher address = ADDRESS.matcher(line);
      if (address.find()) {
        return address.group(1);
      }
    }
    throw new IOException("there is no server");
  }

  private static void draw(LivePage page, Path folder) {
    for (String id : List.of("prefix", "timestamp", "tools", "salt", "history")) {
      page.find("[data-experiment=" + id + "]").click();
      page.page.waitForFunction("() => document.querySelectorAll('.cost').length === 2");
      page.page.waitForSelector("[data-experiment=" + id + "]:enabled");
    }
    page.await("player.store.figures?.running === 0");
    page.page.evaluate("() => document.activeElement.blur()");
    page.page.mouse().move(0, 0);
    settle(page);
    shoot(page, folder.resolve("page-try.png"));
    Locator request = page.find("#requests button").first();
    request.click();
    page.page.waitForSelector("#details .bars");
    page.page.mouse().move(0, 0);
    settle(page);
    shoot(page, folder.resolve("page.png"));
    page.find("#theme").click();
    page.page.mouse().move(0, 0);
    settle(page);
    shoot(page, folder.resolve("page-dark.png"));
    page.page.setViewportSize(390, 844);
    for (String view : List.of("tree", "requests", "memory", "side")) {
      page.find("#view-" + view).click();
      settle(page);
      shoot(page, folder.resolve("page-small-" + view + ".png"));
    }
  }

  private static void settle(LivePage page) {
    page.page.waitForFunction(
        "() => document.getAnimations().every((animation) => animation.playState !== 'running')");
  }

  private static void shoot(LivePage page, Path file) {
    page.page.screenshot(new Page.ScreenshotOptions().setPath(file));
  }
}
