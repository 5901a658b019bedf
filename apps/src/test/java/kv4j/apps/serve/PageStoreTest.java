package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.microsoft.playwright.Browser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import kv4j.apps.store.FilesStoreProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What the page shows of a store behind the cache is what the server says of it. */
@Timeout(180)
@ExtendWith(Chromium.class)
class PageStoreTest {
  private static final String PROMPT =
      "You answer questions of people who visit the city library, in few words.";

  @TempDir private Path blocks;
  private Browser browser;

  @BeforeEach
  void take(Browser shared) {
    browser = shared;
  }

  private static JsonNode complete(TestServer server, String prompt) {
    return server.ask(
        "/v1/completions",
        "{\"prompt\":\"%s\",\"max_tokens\":1,\"temperature\":0}".formatted(prompt));
  }

  private void serve(Consumer<TestServer> client) {
    try (TestServer server = TestServer.withStore(TestServer.NO_KEYS, blocks, blocks)) {
      client.accept(server);
    }
  }

  @Test
  void tokensFromTheStoreAreTheirOwnStretchAndTheTiersAreShown() throws Exception {
    serve(server -> complete(server, PROMPT));
    FilesStoreProvider.NODES.set(List.of("here", "there"));
    serve(
        server -> {
          try (LivePage page = new LivePage(browser, server.server.url())) {
            JsonNode answer = complete(server, PROMPT + " And then?");
            int read = answer.at("/kv4j/store_tokens").intValue();
            assertTrue(read >= 64, answer.toString());
            page.page.waitForSelector("#requests [data-state=finished]").click();
            page.page.waitForSelector("#details .reason");
            assertEquals(read, page.tokens("read"));
            assertEquals(0, page.tokens("cached"));
            assertEquals(
                answer.at("/kv4j/prompt_tokens").intValue(), read + page.tokens("computed"));
            assertTrue(page.text("#details .reason").contains(read + " of these from the store"));
            assertTrue(page.text("#details .legend").contains("from the store"));

            page.await("player.store.figures?.asked?.store_tokens === " + read);
            page.awaitDrawn();
            JsonNode stats = server.get("/cache/stats").json();
            String tiers = page.text("#tiers");
            assertTrue(tiers.contains("memory"), tiers);
            assertTrue(tiers.contains("files"), tiers);
            double share = 100.0 * read / stats.at("/lookups/prompt_tokens").intValue();
            assertTrue(tiers.contains("%.0f".formatted(Math.floor(share))), tiers);
            assertEquals("0", page.text("[data-store=damaged] dd"));
            assertEquals("2 nodes: here, there", page.text("#nodes"));
            page.checkComplaints();
          }
        });
  }

  @Test
  void aDamagedBlockIsTheReasonAndCounted() throws Exception {
    serve(server -> complete(server, PROMPT));
    try (var all = Files.list(blocks)) {
      for (Path block : all.toList()) {
        Files.write(block, new byte[100]);
      }
    }
    serve(
        server -> {
          try (LivePage page = new LivePage(browser, server.server.url())) {
            complete(server, PROMPT);
            page.page.waitForSelector("#requests [data-state=finished]").click();
            page.page.waitForSelector("#details .reason[data-reason=store_damaged]");
            assertEquals(0, page.tokens("read"));
            assertFalse(page.text("#details .legend").contains("from the store"));
            int asked = PROMPT.length() / 16; // blocks of the prompt and a begin, but for the last
            page.await("player.store.figures?.store?.damaged === " + asked);
            page.awaitDrawn();
            assertEquals(asked, server.get("/cache/stats").at("/store/damaged").intValue());
            assertEquals("" + asked, page.text("[data-store=damaged] dd"));
            page.checkComplaints();
          }
        });
  }
}
