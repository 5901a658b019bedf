package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import kv4j.apps.cli.Terminal;
import kv4j.apps.example.LastRequestCacheProvider;
import kv4j.cache.KvCacheProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginsTest {
  private static final String PACKAGE = "kv4j/apps/example/";

  @Test
  void runsACacheFromAThirdPartysJar(@TempDir Path folder) throws Exception {
    Path jar = pack(folder.resolve("third party.jar"));
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
      "last-request",
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

  /** The example's classes and its service entry, which is in the jar only. */
  private static Path pack(Path jar) throws Exception {
    Path classes =
        Path.of(
                LastRequestCacheProvider.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI())
            .resolve(PACKAGE);
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        var files = Files.list(classes)) {
      for (Path file : files.toList()) {
        out.putNextEntry(new JarEntry(PACKAGE + file.getFileName()));
        try (InputStream in = Files.newInputStream(file)) {
          in.transferTo(out);
        }
      }
      out.putNextEntry(new JarEntry("META-INF/services/" + KvCacheProvider.class.getName()));
      out.write(LastRequestCacheProvider.class.getName().getBytes(StandardCharsets.UTF_8));
    }
    return jar;
  }
}
