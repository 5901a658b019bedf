package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import kv4j.apps.serve.TestServer.Reply;
import kv4j.cache.faulty.Fault;
import org.junit.jupiter.api.Test;

/** A server that was asked to have a faulty cache says of each answer whether that spoiled it. */
class FaultyAnswersTest {
  private static final Fault FAULT = Fault.USUAL.withAmount(3);
  private static final String PROMPT = "a prompt that is long enough for more than one block";

  private static String body(String more) {
    return "{\"prompt\": \"%s\", \"max_tokens\": 8, \"temperature\": 0%s}".formatted(PROMPT, more);
  }

  @Test
  void theSpoiledOnesAreMarked() throws Exception {
    try (TestServer server = TestServer.withFault(FAULT)) {
      JsonNode cold = server.ask("/v1/completions", body(""));
      JsonNode warm = server.ask("/v1/completions", body(""));
      assertTrue(cold.at("/kv4j/fault").isMissingNode(), cold.toString());
      assertEquals(FAULT.toString(), warm.at("/kv4j/fault").asText());
      assertNotEquals(cold.at("/choices/0/text"), warm.at("/choices/0/text"));
      List<JsonNode> chunks = server.stream("/v1/completions", body(", \"stream\": true"));
      assertEquals(FAULT.toString(), chunks.get(chunks.size() - 1).at("/kv4j/fault").asText());
    }
  }

  @Test
  void oneSpoiledAnswerAmongSeveralIsEnough() {
    try (TestServer server = TestServer.withFault(FAULT)) {
      JsonNode both = server.ask("/v1/completions", body(", \"n\": 2"));
      boolean same = both.at("/choices/0/text").equals(both.at("/choices/1/text"));
      assertEquals(same, both.at("/kv4j/fault").isMissingNode(), both.toString());
    }
  }

  @Test
  void aServerThatWasNotAskedToHasNone() {
    try (TestServer server = new TestServer()) {
      server.ask("/v1/completions", body(""));
      Reply reply = server.send("/v1/completions", body(""));
      assertTrue(reply.at("/kv4j/cached_tokens").asInt() > 16, reply.http().body());
      assertTrue(reply.at("/kv4j/fault").isMissingNode(), reply.http().body());
    }
  }
}
