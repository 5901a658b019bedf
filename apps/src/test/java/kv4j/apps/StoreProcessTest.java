package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Processes that leave blocks to each other, in stores of kv4j's own. */
@Timeout(300)
class StoreProcessTest {
  private static final String PROMPT =
      "Once upon a time there was a prompt of more than a hundred characters, each of which is a"
          + " token of the model tiny.";

  @TempDir private Path folder;

  private String output() throws IOException {
    return Files.readString(folder.resolve("out"));
  }

  /** What libraries and kv4j complain of. */
  private List<String> complaints() throws IOException {
    byte[] err = Files.readAllBytes(folder.resolve("err")); // the model's text may be no UTF-8
    return new String(err, StandardCharsets.ISO_8859_1)
        .lines()
        .filter(line -> line.matches("(?i).*(\\bwarn|error|exception|kv4j:|^\\tat ).*"))
        .filter(line -> !line.matches("WARNING: .*(Unsafe|terminally|maintainers).*"))
        .toList();
  }

  private String succeed(String... args) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--add-exports=java.base/jdk.internal.module=ALL-UNNAMED"); // as the manifest has
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
    command.addAll(List.of(System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of(args));
    int status =
        new ProcessBuilder(command)
            .redirectOutput(folder.resolve("out").toFile())
            .redirectError(folder.resolve("err").toFile())
            .start()
            .waitFor();
    assertEquals(0, status, complaints().toString());
    assertEquals(List.of(), complaints());
    return output();
  }

  private JsonNode generate(String store) throws IOException, InterruptedException {
    String line = "generate --model-preset tiny --threads 1 --new-tokens 20 --json - --store";
    List<String> args = new ArrayList<>(List.of(line.split(" ")));
    args.addAll(List.of(store, "--prompt", PROMPT));
    return new ObjectMapper().readTree(succeed(args.toArray(String[]::new)));
  }

  @Test
  void whatOneProcessComputedOthersFindHereAndElsewhere() throws Exception {
    String here = "disk:" + folder.resolve("here");
    String there = "disk:" + folder.resolve("there");
    String file = folder.resolve("prefix.kvc").toString();
    JsonNode first = generate(here);
    assertEquals(0, first.get("cachedTokens").intValue());
    JsonNode second = generate(here);
    int whole = (PROMPT.length() + 1 - 1) / 16 * 16; // of the prompt and a begin, but for the last
    assertEquals(whole, second.get("storeTokens").intValue());
    assertEquals(first.get("text"), second.get("text"));

    String blocks = (PROMPT.length() + 1 + 20 - 1) / 16 + " blocks";
    assertTrue(succeed("cache", "list", here).contains(here + ": " + blocks + ", "), output());
    assertTrue(succeed("cache", "verify", here).contains(": " + blocks + ", "), output());
    assertTrue(succeed("cache", "save", here, file).startsWith("saved " + blocks), output());
    assertTrue(succeed("cache", "load", file, there).startsWith("loaded " + blocks), output());
    JsonNode third = generate(there);
    assertEquals(whole, third.get("storeTokens").intValue());
    assertEquals(first.get("text"), third.get("text"));
    String pruned = succeed("cache", "prune", here, "--to-bytes", "1");
    assertTrue(pruned.contains("removed " + blocks), pruned);
    assertTrue(succeed("cache", "list", here).contains(": 0 blocks"), output());
  }
}
