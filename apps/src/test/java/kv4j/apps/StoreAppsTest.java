package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import kv4j.apps.Programs.Outcome;
import kv4j.apps.store.FilesStoreProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one run leaves in a store, the next one finds. */
class StoreAppsTest {
  private static final String PROMPT =
      "Once upon a time there was a prompt of more than a hundred characters, each of which is a"
          + " token of the model tiny.";

  @TempDir private Path folder;

  private String store() {
    return "files:" + folder;
  }

  private Outcome generate(String... more) {
    List<String> line = new ArrayList<>();
    line.addAll(List.of("generate", "--model-preset", "tiny", "--threads", "1"));
    line.addAll(List.of("--new-tokens", "20", "--prompt", PROMPT, "--json", "-"));
    line.addAll(List.of("--store", store()));
    line.addAll(List.of(more));
    return Programs.succeed("", line.toArray(String[]::new));
  }

  private static JsonNode json(Outcome outcome) throws IOException {
    return new ObjectMapper().readTree(outcome.out());
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    }
  }

  /** Whole blocks of all but the last prompt token, which is computed always. */
  private static int wholeBlocks(JsonNode result) {
    return (result.get("promptTokens").size() - 1) / 16 * 16;
  }

  @Test
  void aSecondRunFindsThePromptAndSaysTheSame() throws IOException {
    JsonNode first = json(generate());
    assertEquals(0, first.get("cachedTokens").intValue());
    int tokens = first.get("promptTokens").size() + first.get("tokens").size() - 1;
    assertEquals(tokens / 16, files().size(), "whole blocks of all that was computed");
    Outcome again = generate();
    JsonNode second = json(again);
    assertEquals(first.get("text"), second.get("text"));
    assertEquals(wholeBlocks(first), second.get("cachedTokens").intValue());
    assertEquals(wholeBlocks(first), second.get("storeTokens").intValue());
    assertTrue(again.err().contains(wholeBlocks(first) + " of these from the store; "));
  }

  @Test
  void whatIsTooShortOrNotEvictedYetStaysAway() throws IOException {
    generate("--store-min-tokens", "1000");
    assertEquals(List.of(), files());
    JsonNode first = json(generate("--store-when", "evict"));
    assertFalse(files().isEmpty(), "the end is an eviction too");
    assertEquals(wholeBlocks(first), json(generate()).get("storeTokens").intValue());
  }

  @Test
  void fewerBitsTakeLessAndAreSaidNotToBeExact() throws IOException {
    String note = "the store keeps i8: what comes back from it is not exact\n";
    assertFalse(generate().err().contains("not exact"));
    long whole = Files.size(files().get(0));
    Outcome rounded = generate("--store-dtype", "i8");
    assertTrue(rounded.err().contains(note), rounded.err());
    assertEquals(0, json(rounded).get("storeTokens").intValue(), "those of f32 are not these");
    long least = whole;
    for (Path file : files()) {
      least = Math.min(least, Files.size(file));
    }
    assertTrue(least < whole / 2, least + " of " + whole);
    assertTrue(json(generate("--store-dtype", "i8")).get("storeTokens").intValue() > 0);
  }

  @Test
  void aChatGoesOnWhereItEnded() {
    String[] chat = {
      "chat", "--model-preset", "tiny", "--threads", "1", "--new-tokens", "8", "--store", store()
    };
    String message = "A message of more than sixty-four characters, each of which is a token";
    Outcome first = Programs.succeed(message + "\nMore\n", chat);
    Outcome second = Programs.succeed(message + "\nMore\n/stats\n", chat);
    assertTrue(second.out().startsWith(first.out()), second.out());
    assertFalse(first.err().contains("from the store"), first.err());
    assertTrue(second.err().contains(" of these from the store; TTFT "), second.err());
    assertTrue(second.out().matches("(?s).* [1-9]\\d* of these from the store; \\d+ blocks.*"));
  }

  @Test
  void withoutTheKeyNothingIsReadable() throws IOException {
    Path key = folder.resolveSibling(folder.getFileName() + ".key");
    Path other = folder.resolveSibling(folder.getFileName() + ".other");
    Files.writeString(key, "0123456789abcdef".repeat(4) + "\n");
    Files.write(other, new byte[32]);
    JsonNode first = json(generate("--store-encrypt", key.toString()));
    assertFalse(files().isEmpty());
    for (Path file : files()) {
      String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
      assertFalse(bytes.contains("f32") || bytes.contains("KV4J"), "headers can be read");
    }
    JsonNode second = json(generate("--store-encrypt", key.toString()));
    assertEquals(wholeBlocks(first), second.get("storeTokens").intValue());
    assertEquals(first.get("text"), second.get("text"));
    JsonNode third = json(generate("--store-encrypt", other.toString()));
    assertEquals(0, third.get("storeTokens").intValue());
    assertEquals(first.get("text"), third.get("text"));
  }

  /** Opens once somebody has waited in vain. */
  private static final class Late extends CompletableFuture<Void> {
    private int waits;

    @Override
    public Void get(long timeout, TimeUnit unit)
        throws InterruptedException, ExecutionException, TimeoutException {
      if (waits++ == 0) {
        throw new TimeoutException();
      }
      complete(null);
      return super.get(timeout, unit);
    }
  }

  @Test
  void aStoreThatTakesLongIsWaitedForAndSaidToBe() throws IOException {
    assertFalse(generate().err().contains("waiting"));
    FilesStoreProvider.READY.set(new Late());
    Outcome late = generate();
    assertTrue(late.err().contains("waiting for the store " + store() + "\n"), late.err());
    assertTrue(json(late).get("storeTokens").intValue() > 0);
  }

  @Test
  void aStoreThatDoesNotOpenIsDoneWithout() throws IOException {
    String text = json(generate()).get("text").textValue();
    FilesStoreProvider.READY.set(
        CompletableFuture.failedFuture(new IllegalStateException("the disk is gone")));
    Outcome without = generate();
    assertEquals(text, json(without).get("text").textValue());
    assertEquals(0, json(without).get("storeTokens").intValue());
    assertTrue(
        without
            .err()
            .contains(
                "going on without the store "
                    + store()
                    + ", which cannot be opened: the disk is gone\n"),
        without.err());
  }
}
