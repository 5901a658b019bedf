package kv4j.apps.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(OS.LINUX)
class BrowserTest {
  @TempDir private Path folder;

  @Test
  void opensTheFileWithTheDesktopsProgram() throws Exception {
    Path pipe = folder.resolve("opened");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    Path opener = folder.resolve("xdg-open");
    Files.writeString(opener, "#!/bin/sh\nprintf %s \"$1\" >'" + pipe + "'\n");
    Files.setPosixFilePermissions(opener, PosixFilePermissions.fromString("rwx------"));
    Path page = folder.resolve("a page.html");
    Browser.find(Map.of("DISPLAY", ":0", "PATH", folder.toString())).open(page);
    assertEquals(page.toString(), Files.readString(pipe)); // waits for who writes to it
  }

  @Test
  void withoutADesktopThereIsNone() {
    for (Map<String, String> environment :
        List.of(Map.of("PATH", "/usr/bin"), Map.of("DISPLAY", ":0", "PATH", ""))) {
      assertEquals(
          "--open needs a desktop, and there is none here that xdg-open would open a page on",
          assertThrows(IllegalArgumentException.class, () -> Browser.find(environment))
              .getMessage());
    }
  }
}
