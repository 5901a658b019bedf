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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as a process of its own, libraries' logs included. */
class ProcessTest {
  @TempDir private Path folder;

  private int run(String... args) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--add-exports=java.base/jdk.internal.module=ALL-UNNAMED"); // as the manifest has
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(Main.class.getName());
    command.addAll(List.of(args));
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
}
