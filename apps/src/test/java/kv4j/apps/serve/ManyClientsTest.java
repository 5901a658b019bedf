package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import kv4j.apps.serve.http.Keys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many clients at once, of which some leave: the others get what they would get alone. */
class ManyClientsTest {
  private static final String COMPLETION = "/v1/completions";
  private static final int CLIENTS = 12;
  private static final int EACH = 12;

  private static String body(int prompt, int tokens, boolean stream) {
    String shared = "A beginning that all of the prompts share, to be found. ".repeat(prompt % 3);
    return ("{\"prompt\":\"%sNumber %d\",\"max_tokens\":%d,\"temperature\":0,\"stream\":%s,"
            + "\"cache_salt\":\"%s\"}")
        .formatted(shared, prompt, tokens, stream, prompt % 2 == 0 ? "" : "salt");
  }

  @Test
  @Timeout(240)
  void allAnswersAreThoseOfALoneRun() throws Exception {
    long seed = new SplittableRandom().nextLong();
    SplittableRandom random = new SplittableRandom(seed);
    Keys none = new Keys(Optional.empty(), Optional.empty(), Optional.empty());
    List<String> expected = new ArrayList<>();
    try (TestServer alone = new TestServer(none, 1, 1, Optional.empty())) {
      for (int prompt = 0; prompt < 10; prompt++) {
        expected.add(
            alone.ask(COMPLETION, body(prompt, 30, false)).at("/choices/0/text").textValue());
      }
    }
    try (TestServer server = new TestServer(none, 4, 2 * CLIENTS, Optional.empty())) {
      ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
      List<Future<Integer>> counts = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        SplittableRandom own = random.split();
        counts.add(clients.submit(() -> client(server, own, expected, seed)));
      }
      int answered = 0;
      for (Future<Integer> count : counts) {
        answered += count.get();
      }
      clients.shutdown();
      JsonNode load = server.get("/health").json(); // those who left may have been waiting
      while (load.get("running").intValue() + load.get("waiting").intValue() > 0) {
        load = server.get("/health").json();
      }
      assertTrue(answered > CLIENTS * EACH / 3, answered + " answered, seed " + seed);
      JsonNode storage = server.get("/cache/stats").at("/storage");
      assertEquals(0, storage.at("/pinned_bytes").intValue(), "seed " + seed);
      assertEquals(0, storage.at("/running_bytes").intValue(), "seed " + seed);
    }
  }

  /** Asks one thing after the other. Returns how much of it was answered. */
  private static int client(
      TestServer server, SplittableRandom random, List<String> expected, long seed)
      throws IOException, InterruptedException {
    int answered = 0;
    for (int i = 0; i < EACH; i++) {
      int prompt = random.nextInt(expected.size());
      boolean stream = random.nextBoolean();
      boolean leaves = stream && random.nextInt(3) > 0;
      if (leaves) {
        leave(server, body(prompt, 300, true), random.nextInt(8));
        continue;
      }
      StringBuilder text = new StringBuilder();
      List<JsonNode> pieces =
          stream
              ? server.stream(COMPLETION, body(prompt, 30, true))
              : List.of(server.ask(COMPLETION, body(prompt, 30, false)));
      pieces.forEach(piece -> text.append(piece.at("/choices/0/text").asText("")));
      assertEquals(expected.get(prompt), text.toString(), "seed " + seed);
      JsonNode last = pieces.get(pieces.size() - 1);
      int cached = last.at("/kv4j/cached_tokens").intValue();
      assertTrue(cached < last.at("/usage/prompt_tokens").intValue(), "seed " + seed);
      answered++;
    }
    return answered;
  }

  private static void leave(TestServer server, String body, int lines)
      throws IOException, InterruptedException {
    try (InputStream in =
            server
                .client
                .send(server.post(COMPLETION, body).build(), BodyHandlers.ofInputStream())
                .body();
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (int i = 0; i < lines; i++) {
        reader.readLine();
      }
    }
  }
}
