package kv4j.apps.serve;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Playwright;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives tests the machine's own Chromium, one for all of them. {@code .ci/run} installs it; where
 * it is not, each test is skipped.
 */
final class Chromium implements BeforeEachCallback, ParameterResolver {
  /** What a browser runs in. */
  record Running(Playwright playwright, Browser browser) implements AutoCloseable {
    @Override
    public void close() {
      playwright.close();
    }
  }

  private static Optional<Path> find() {
    return Stream.of(System.getenv("PATH").split(Pattern.quote(File.pathSeparator)))
        .flatMap(folder -> Stream.of("chromium", "chromium-browser").map(Path.of(folder)::resolve))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Before each, as tests that are skipped before all are not counted as skipped. */
  @Override
  public void beforeEach(ExtensionContext context) {
    Assumptions.assumeTrue(find().isPresent(), "there is no Chromium; .ci/run installs it");
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == Browser.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return context
        .getRoot()
        .getStore(Namespace.create(Chromium.class))
        .getOrComputeIfAbsent(Running.class, key -> launch(), Running.class)
        .browser;
  }

  static Running launch() {
    Playwright playwright =
        Playwright.create(
            new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
    BrowserType.LaunchOptions options =
        new BrowserType.LaunchOptions().setExecutablePath(find().orElseThrow());
    return new Running(playwright, playwright.chromium().launch(options));
  }
}
