package kv4j.model.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
  @TempDir private Path folder;

  private static long write(Path file, String text) {
    return WholeFile.at(file)
        .write(channel -> channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8))));
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static String refused(org.junit.jupiter.api.function.Executable action) {
    return assertThrows(IllegalArgumentException.class, action).getMessage();
  }

  @Test
  void aNewFileHasTheModeThatNewFilesHave() throws IOException {
    Path file = folder.resolve("new");
    assertEquals(5, write(file, "hello"));
    assertEquals("hello", Files.readString(file));
    Path usual = Files.createFile(folder.resolve("usual"));
    assertEquals(Files.getPosixFilePermissions(usual), Files.getPosixFilePermissions(file));
  }

  @Test
  void aReplacedFileKeepsItsMode() throws IOException {
    Path file = folder.resolve("old");
    Files.writeString(file, "old");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    write(file, "new");
    assertEquals("new", Files.readString(file));
    assertEquals("rw-r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
  }

  @Test
  void whatBreaksOffLeavesWhatWasThere() throws IOException {
    Path file = folder.resolve("kept");
    write(file, "kept");
    String message =
        refused(
            () ->
                WholeFile.at(file)
                    .write(
                        channel -> {
                          channel.write(ByteBuffer.allocate(10));
                          throw new IOException("No space left on device");
                        }));
    assertEquals("cannot write " + file + ": No space left on device", message);
    assertThrows(
        IllegalStateException.class,
        () ->
            WholeFile.at(file)
                .write(
                    channel -> {
                      throw new IllegalStateException("anything else");
                    }));
    assertEquals("kept", Files.readString(file));
    assertEquals(List.of("kept"), names());
  }

  @Test
  void linksPipesDevicesAndFoldersAreRefused() throws IOException, InterruptedException {
    Path file = folder.resolve("file");
    write(file, "x");
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);
    assertTrue(refused(() -> WholeFile.at(link)).contains("it is a link"));
    Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), folder.resolve("no"));
    assertTrue(refused(() -> WholeFile.at(dangling)).contains("it is a link"));
    assertTrue(refused(() -> WholeFile.at(folder)).contains("it is a folder"));
    assertTrue(refused(() -> WholeFile.at(Path.of(""))).contains("without a name"));
    assertTrue(
        refused(() -> WholeFile.at(folder.resolve("no/file"))).contains("there is no folder"));
    Assumptions.assumeTrue(Files.exists(Path.of("/dev/null")), "no devices here");
    assertTrue(refused(() -> WholeFile.at(Path.of("/dev/null"))).contains("a pipe or a device"));
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    assertTrue(refused(() -> WholeFile.at(pipe)).contains("a pipe or a device"));
    assertEquals("x", Files.readString(file));
  }

  @Test
  void whatIsReadIsNotWritten() throws IOException {
    Path model = folder.resolve("model.gguf");
    write(model, "x");
    Path hard = Files.createLink(folder.resolve("the same"), model);
    for (Path target : List.of(model, hard, folder.resolve(".").resolve("model.gguf"))) {
      assertTrue(
          refused(() -> WholeFile.at(target).apartFrom(List.of(model)))
              .contains("it is what is read"));
    }
    assertTrue(
        refused(() -> WholeFile.at(model).apartFrom(List.of(folder)))
            .contains("it is in what is read"));
    WholeFile.at(folder.resolve("x.json")).apartFrom(List.of(model, folder, folder.resolve("no")));
  }
}
