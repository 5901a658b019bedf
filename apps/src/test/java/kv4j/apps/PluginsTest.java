package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import kv4j.apps.cli.Terminal;
import kv4j.cache.KvCacheProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginsTest {
  private static final String EXAMPLE = "kv4j.inference.example.LastPromptCacheProvider";
  private static final Path SOURCES = Path.of("..", "inference", "src", "test", "java");

  @Test
  void runsACacheFromAThirdPartysJar(@TempDir Path folder) throws Exception {
    Path jar = folder.resolve("third party.jar");
    pack(compile(folder.resolve("classes")), jar);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
    String[] args = {
      "compare",
      "--model-preset",
      "tiny",
      "--requests",
      "3",
      "--prefix-tokens",
      "100",
      "--new-tokens",
      "2",
      "--cache",
      "last-prompt",
      "--plugins",
      jar.toString()
    };
    int status = Main.run(args, new Terminal(print, print, false, false));
    String text = out.toString(StandardCharsets.UTF_8);
    assertEquals(0, status, text);
    assertTrue(text.contains("identical tokens: yes"), text);
    // 6 blocks of 16 of the 100 shared tokens, in 2 of 3 requests of 148.
    assertTrue(text.contains("token hit rate: 43.2%"), text);
  }

  /** The example's classes, in a folder that no class loader of the tests looks into. */
  private static Path compile(Path classes) throws Exception {
    Files.createDirectories(classes);
    String source = SOURCES.resolve(EXAMPLE.replace('.', '/') + ".java").toString();
    String classPath = System.getProperty("java.class.path");
    String[] args = {"-d", classes.toString(), "-classpath", classPath, source};
    assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, args));
    return classes;
  }

  private static void pack(Path classes, Path jar) throws Exception {
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        Stream<Path> tree = Files.walk(classes)) {
      List<Path> files = tree.filter(Files::isRegularFile).toList();
      for (Path file : files) {
        String entry = classes.relativize(file).toString().replace('\\', '/');
        out.putNextEntry(new JarEntry(entry));
        Files.copy(file, out);
      }
      out.putNextEntry(new JarEntry("META-INF/services/" + KvCacheProvider.class.getName()));
      out.write(EXAMPLE.getBytes(StandardCharsets.UTF_8));
    }
  }
}
