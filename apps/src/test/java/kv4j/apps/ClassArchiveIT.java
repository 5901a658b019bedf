package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The archive of classes that the launchers have made of the packaged program. */
class ClassArchiveIT {
  private static final Path JAR = Path.of("target", "kv4j.jar").toAbsolutePath();
  private static final String FROM_ARCHIVE = "source: shared objects file (top)";

  @TempDir private Path folder;

  private List<String> java(Object... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    File out = folder.resolve("out.txt").toFile();
    Process process =
        new ProcessBuilder(command).redirectOutput(out).redirectError(Redirect.DISCARD).start();
    assertEquals(0, process.waitFor());
    return Files.readAllLines(out.toPath(), StandardCharsets.ISO_8859_1);
  }

  /** With those of vectors in it, JDK 17's compiler makes an object of every vector. */
  @Test
  void holdsTheProgramsClassesButNoneOfVectors() throws Exception {
    assumeTrue(Files.exists(JAR), "the program is not packaged");
    assumeTrue(!JAR.toString().contains(" "), "JDK 17 takes no class from it in such a folder");
    Path archive = folder.resolve("classes.jsa");
    java("-XX:ArchiveClassesAtExit=" + archive, "-jar", JAR, Rehearsal.NAME);
    List<String> loaded =
        java(
            "-XX:SharedArchiveFile=" + archive,
            "-Xlog:class+load",
            "-jar",
            JAR,
            "generate",
            "--model-preset",
            "tiny",
            "--prompt",
            "x",
            "--new-tokens",
            "1");
    assertTrue(
        loaded.stream().anyMatch(s -> s.contains("kv4j.apps.Main ") && s.contains(FROM_ARCHIVE)));
    List<String> vectors =
        loaded.stream().filter(line -> line.contains("jdk.incubator.vector.")).toList();
    assertFalse(vectors.isEmpty());
    assertEquals(List.of(), vectors.stream().filter(line -> line.contains(FROM_ARCHIVE)).toList());
  }
}
