package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.CompletionCreateParams;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** OpenAI's own client for Java, which takes the server for OpenAI's. */
@Timeout(120)
class OpenAiClientTest {
  private static TestServer server;
  private static OpenAIClient client;
  private static String url;

  @BeforeAll
  static void start() {
    server = TestServer.withKeys(Optional.of("key"), Optional.empty(), null);
    url = server.server.url();
    client = client("key");
  }

  @AfterAll
  static void stop() {
    client.close();
    server.close();
  }

  private static OpenAIClient client(String key) {
    return OpenAIOkHttpClient.builder().baseUrl(url + "/v1").apiKey(key).maxRetries(0).build();
  }

  private static ChatCompletionCreateParams.Builder ask(String text) {
    return ChatCompletionCreateParams.builder()
        .model("tiny")
        .addSystemMessage("You answer in few words.")
        .addUserMessage(text)
        .temperature(0)
        .maxCompletionTokens(8);
  }

  private static long cached(ChatCompletion answer) {
    return answer
        .usage()
        .orElseThrow()
        .promptTokensDetails()
        .orElseThrow()
        .cachedTokens()
        .orElseThrow();
  }

  @Test
  void asTheDocumentationShowsIt() {
    OpenAIClient client = OpenAIOkHttpClient.builder().baseUrl(url + "/v1").apiKey("key").build();
    ChatCompletion answer =
        client
            .chat()
            .completions()
            .create(
                ChatCompletionCreateParams.builder()
                    .model("tiny")
                    .addUserMessage("What is a cache?")
                    .maxCompletionTokens(32)
                    .build());
    System.out.println(answer.choices().get(0).message().content().orElse(""));
    System.out.println(
        answer.usage().get().promptTokensDetails().get().cachedTokens().get() + " were cached");
    assertTrue(cached(answer) >= 0);
    client.close();
  }

  @Test
  void chatsTellWhatWasCached() {
    ChatCompletion cold = client.chat().completions().create(ask("Where to?").build());
    long prompt = cold.usage().orElseThrow().promptTokens();
    ChatCompletion warm = client.chat().completions().create(ask("Where to?").build());
    assertEquals(prompt - 1, cached(warm));
    assertEquals(
        cold.choices().get(0).message().content(), warm.choices().get(0).message().content());
    assertEquals(8, warm.usage().orElseThrow().completionTokens());
    assertEquals(ChatCompletion.Choice.FinishReason.LENGTH, warm.choices().get(0).finishReason());
  }

  @Test
  void streamsSayWhatWholeAnswersSay() {
    ChatCompletion whole =
        client.chat().completions().create(ask("Of streams").logprobs(true).topLogprobs(2).build());
    StringBuilder text = new StringBuilder();
    List<Double> logprobs = new ArrayList<>();
    List<Long> cached = new ArrayList<>();
    try (StreamResponse<ChatCompletionChunk> chunks =
        client
            .chat()
            .completions()
            .createStreaming(
                ask("Of streams")
                    .logprobs(true)
                    .topLogprobs(2)
                    .streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build())
                    .build())) {
      chunks.stream()
          .forEach(
              chunk -> {
                chunk
                    .usage()
                    .flatMap(usage -> usage.promptTokensDetails())
                    .flatMap(details -> details.cachedTokens())
                    .ifPresent(cached::add);
                for (ChatCompletionChunk.Choice choice : chunk.choices()) {
                  text.append(choice.delta().content().orElse(""));
                  choice
                      .logprobs()
                      .flatMap(all -> all.content())
                      .ifPresent(all -> all.forEach(one -> logprobs.add(one.logprob())));
                }
              });
    }
    assertEquals(whole.choices().get(0).message().content().orElseThrow(), text.toString());
    assertEquals(8, logprobs.size());
    assertEquals(
        whole.choices().get(0).logprobs().orElseThrow().content().orElseThrow().stream()
            .map(one -> one.logprob())
            .toList(),
        logprobs);
    assertEquals(1, cached.size());
    assertTrue(cached.get(0) > 10);
  }

  /** Closing a stream early is all it takes to cancel. */
  @Test
  void aClosedStreamEndsItsRequest() {
    try (StreamResponse<ChatCompletionChunk> chunks =
        client
            .chat()
            .completions()
            .createStreaming(ask("Endless").maxCompletionTokens(3900).build())) {
      assertTrue(chunks.stream().findFirst().isPresent());
    }
    while (server.get("/health").at("/running").intValue() != 0) {
      Thread.onSpinWait();
    }
  }

  @Test
  void completionsAndModels() {
    assertEquals("tiny", client.models().list().data().get(0).id());
    assertEquals("tiny", client.models().retrieve("tiny").id());
    var completion =
        client
            .completions()
            .create(
                CompletionCreateParams.builder()
                    .model("tiny")
                    .prompt("Once")
                    .maxTokens(5)
                    .temperature(0.0) // drawn at random, a token may be an end
                    .logprobs(2)
                    .n(2)
                    .build());
    assertEquals(2, completion.choices().size());
    assertEquals(
        5, completion.choices().get(1).logprobs().orElseThrow().tokens().orElseThrow().size());
  }

  @Test
  void errorsAreTakenForWhatTheyAre() {
    OpenAIClient wrong = client("wrong");
    assertThrows(
        UnauthorizedException.class, () -> wrong.chat().completions().create(ask("Hi").build()));
    wrong.close();
    assertThrows(
        NotFoundException.class,
        () -> client.chat().completions().create(ask("Hi").model("gpt-4").build()));
    BadRequestException bad =
        assertThrows(
            BadRequestException.class,
            () -> client.chat().completions().create(ask("Hi").temperature(5.0).build()));
    assertEquals("temperature", bad.param().orElseThrow());
    assertTrue(bad.getMessage().contains("temperature must be from"), bad.getMessage());
  }
}
