package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as a process of its own, libraries' logs included. */
class ProcessTest {
  @TempDir private Path folder;

  private static List<String> command(String... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--add-exports=java.base/jdk.internal.module=ALL-UNNAMED"); // as the manifest has
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(Main.class.getName());
    command.addAll(List.of(args));
    return command;
  }

  private int run(String... args) throws IOException, InterruptedException {
    return run(command(args));
  }

  private int run(List<String> command) throws IOException, InterruptedException {
    File in = folder.resolve("in").toFile();
    Files.writeString(in.toPath(), "Hi");
    return new ProcessBuilder(command)
        .redirectInput(in)
        .redirectOutput(folder.resolve("out").toFile())
        .redirectError(Redirect.to(folder.resolve("err").toFile()))
        .start()
        .waitFor();
  }

  /**
   * What standard error says, but for what newer JVMs say of a library; of the Vector API no JVM is
   * to warn, and the program not of its absence.
   */
  private List<String> complaints() throws IOException {
    return Files.readAllLines(folder.resolve("err")).stream()
        .filter(line -> !line.matches("WARNING: .*(Unsafe|terminally|maintainers).*"))
        .toList();
  }

  /** What says something of a program or a file at once, because ND4J takes a while to start. */
  @Test
  void helpAndInspectDoWithoutNd4j() throws Exception {
    String model = Programs.stories("stories260K.gguf").toString();
    assertEquals(List.of(), nativeClasses("--help"));
    assertEquals(List.of(), nativeClasses("generate", "--help"));
    assertEquals(List.of(), nativeClasses("inspect", model));
    assertTrue(Files.readString(folder.resolve("out")).contains("stories260K"));
    List<String> all = nativeClasses("generate", "--model", model, "--new-tokens", "1");
    assertTrue(all.contains("org.nd4j.linalg.factory.Nd4j"), all.toString());
  }

  /** Runs the program and returns the classes it loads of ND4J and of what that runs on. */
  private List<String> nativeClasses(String... args) throws IOException, InterruptedException {
    Path log = folder.resolve("classes");
    List<String> command = command(args);
    command.add(1, "-Xlog:class+load:file=" + log + "::filecount=0");
    assertEquals(0, run(command), Files.readString(folder.resolve("err")));
    return Files.readAllLines(log).stream()
        .map(line -> line.replaceFirst("(?:\\[[^]]*])+ (\\S+) .*", "$1"))
        .filter(name -> name.startsWith("org.nd4j.") || name.startsWith("org.bytedeco."))
        .toList();
  }

  @Test
  void saysOnlyWhatItHasToSay() throws Exception {
    Path model = TestModels.huggingFace(folder.resolve("llama"));
    assertEquals(0, run("generate", "--model", model.toString(), "--new-tokens", "3"));
    List<String> lines = complaints();
    assertEquals(2, lines.size(), lines.toString());
    assertTrue(lines.get(0).startsWith("loading llama (safetensors, llama), "), lines.get(0));
    assertTrue(lines.get(1).startsWith("prompt 3 tokens, 0 of them cached; "), lines.get(1));
    assertTrue(Files.size(folder.resolve("out")) > 1);

    assertEquals(2, run("generate", "--model", model.toString(), "--seed", "3"));
    assertEquals(
        List.of("kv4j: --seed needs --temperature, without which nothing is random"), complaints());
    assertEquals(0, Files.size(folder.resolve("out")));
  }

  /** A line for sh that runs the program. */
  private static String shell(String... args) {
    List<String> words = new ArrayList<>(command(args));
    words.replaceAll(word -> "'" + word + "'");
    return String.join(" ", words);
  }

  private static int sh(String script, Path err) throws IOException, InterruptedException {
    return new ProcessBuilder("sh", "-c", script)
        .redirectOutput(Redirect.DISCARD)
        .redirectError(Redirect.to(err.toFile()))
        .start()
        .waitFor();
  }

  @Test
  void aBrokenPipeStopsTheWork() throws Exception {
    requireShell();
    Path status = folder.resolve("status");
    String generate =
        shell("generate", "--model-preset", "tiny", "--prompt", "x", "--new-tokens", "4000");
    sh("(" + generate + "; echo $? > '" + status + "') | head -c 1", folder.resolve("err"));
    assertEquals("141", Files.readString(status).strip(), Files.readString(folder.resolve("err")));
  }

  /** As a disk that is full: the shell lets no file grow beyond 64 blocks of 512 bytes. */
  @Test
  void aFileThatFindsNoRoomIsNamedAndLeavesNothing() throws Exception {
    requireShell();
    Path file = folder.resolve("models").resolve("big.gguf");
    Files.createDirectories(file.getParent());
    Path err = folder.resolve("err");
    String export = shell("export", "--model-preset", "tiny", "--gguf", file.toString());
    assertEquals(2, sh("ulimit -f 64; exec " + export, err), Files.readString(err));
    String said = Files.readString(err);
    assertTrue(said.contains("kv4j: cannot write " + file + ": File too large"), said);
    try (Stream<Path> left = Files.list(file.getParent())) {
      assertEquals(List.of(), left.toList());
    }
  }

  /** The signal comes once something has been written, however long that takes. */
  @Test
  void anExportThatIsStoppedLeavesNothing() throws Exception {
    requireShell();
    Path target = folder.resolve("stopped");
    Files.createDirectories(target);
    Process export =
        new ProcessBuilder(
                command(
                    "export", "--model-preset", "M", "--gguf", target.resolve("m.gguf").toString()))
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("err").toFile())
            .start();
    while (export.isAlive() && isEmpty(target)) {
      Thread.onSpinWait();
    }
    export.destroy(); // SIGTERM
    assertEquals(143, export.waitFor(), Files.readString(folder.resolve("err")));
    assertTrue(isEmpty(target), "something is left behind");
  }

  private static boolean isEmpty(Path target) throws IOException {
    try (Stream<Path> files = Files.list(target)) {
      return files.findAny().isEmpty();
    }
  }

  private static void requireShell() {
    Assumptions.assumeTrue(Files.exists(Path.of("/bin/sh")), "there is no sh");
  }
}
