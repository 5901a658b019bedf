package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import org.junit.jupiter.api.Test;

/** What the documentation shows is what runs. */
class DocumentationTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern JAVA = Pattern.compile("(?s)\n```java\n(.*?)\n```\n");
  private static final Pattern LINK = Pattern.compile("]\\(([^)#]+)[^)]*\\)");

  private static List<Path> pages() throws IOException {
    try (Stream<Path> top = Files.list(ROOT);
        Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
      return Stream.concat(top, docs).filter(file -> file.toString().endsWith(".md")).toList();
    }
  }

  /** Layout aside. */
  private static String squeezed(String code) {
    return code.replaceAll("\\s+", "");
  }

  @Test
  void everySnippetIsPartOfATest() throws IOException {
    List<String> tests;
    try (Stream<Path> files = Files.walk(ROOT.toRealPath())) {
      tests =
          files
              .filter(file -> file.toString().replace('\\', '/').contains("/src/test/java/"))
              .filter(file -> file.toString().endsWith(".java"))
              .map(DocumentationTest::read)
              .map(DocumentationTest::squeezed)
              .toList();
    }
    int snippets = 0;
    for (Path page : pages()) {
      Matcher matcher = JAVA.matcher(read(page));
      while (matcher.find()) {
        String code = squeezed(matcher.group(1)).replaceFirst("}+$", ""); // tests go on to assert
        assertTrue(
            tests.stream().anyMatch(test -> test.contains(code)), page + ":\n" + matcher.group(1));
        snippets++;
      }
    }
    assertTrue(snippets >= 6, "only " + snippets);
  }

  @Test
  void everyLinkedFileIsThere() throws IOException {
    for (Path page : pages()) {
      Matcher matcher = LINK.matcher(read(page));
      while (matcher.find()) {
        String target = matcher.group(1);
        assertTrue(
            target.startsWith("http") || Files.exists(page.resolveSibling(target)),
            page + " links to " + target);
      }
    }
  }

  /** By the layout that caches have. */
  @Test
  void theBytesOfTokensAreRight() throws IOException {
    Pattern row = Pattern.compile("(?m)^\\| .* " + "\\| ([\\d,]+) ".repeat(6) + "\\|$");
    List<List<Long>> rows = new ArrayList<>();
    Matcher matcher = row.matcher(read(ROOT.resolve("docs").resolve("scaling.md")));
    while (matcher.find()) {
      rows.add(
          IntStream.rangeClosed(1, 6)
              .mapToObj(i -> Long.valueOf(matcher.group(i).replace(",", "")))
              .toList());
    }
    assertEquals(8, rows.size(), rows.toString());
    for (List<Long> said : rows) {
      List<Long> expected = new ArrayList<>(said.subList(0, 3));
      for (KvDtype dtype : List.of(KvDtype.F32, KvDtype.F16, KvDtype.I8)) {
        KvLayout layout =
            new KvLayout(
                said.get(0).intValue(), said.get(1).intValue(), said.get(2).intValue(), 16, dtype);
        expected.add(layout.bytesPerBlock() / layout.blockTokens());
      }
      assertEquals(expected, said);
    }
  }

  @Test
  void theReadmeShowsTheHelpAsItIs() throws IOException {
    String help = Programs.succeed("", "compare", "--help").out();
    int cores = Runtime.getRuntime().availableProcessors();
    String shown = help.replaceFirst("(worker threads \\(default: )" + cores, "$12");
    assertTrue(read(ROOT.resolve("README.md")).contains("```\n" + shown + "```"), shown);
  }

  @Test
  void bothLaunchersRunTheSameJvm() throws IOException {
    Pattern option = Pattern.compile("--[a-z]+(?:-[a-z]+)+=[\\w-]+|-X[\\w:*+=]+");
    List<String> unix = find(option, read(ROOT.resolve("kv4j")));
    assertEquals(18, unix.size(), unix.toString());
    String windows = read(ROOT.resolve("kv4j.cmd"));
    String onLinux = "-XX:+UseTransparentHugePages"; // other systems' JVMs do not know it
    assertEquals(unix.stream().filter(o -> !o.equals(onLinux)).toList(), find(option, windows));
    assertEquals(windows.lines().count(), windows.split("\r\n").length); // cmd.exe needs CR LF
    for (String shared :
        List.of("-Dmaven.test.skip -Dspotless.check.skip package", "17", "23", "24")) {
      assertTrue(windows.contains(shared) && read(ROOT.resolve("kv4j")).contains(shared), shared);
    }
  }

  private static List<String> find(Pattern pattern, String text) {
    return pattern.matcher(text).results().map(r -> r.group()).sorted().toList();
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
