package kv4j.apps.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.AuthenticationException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiTokenUsage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A client that others have written, which takes the server for OpenAI's. */
class LangChain4jTest {
  private static TestServer server;
  private static String url;

  @BeforeAll
  static void start() {
    server = TestServer.withKeys(Optional.of("key"), Optional.empty(), null);
    url = server.server.url();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static OpenAiChatModel.OpenAiChatModelBuilder model() {
    return OpenAiChatModel.builder()
        .baseUrl(url + "/v1")
        .apiKey("key")
        .modelName("tiny")
        .maxRetries(0)
        .temperature(0.0)
        .maxTokens(8);
  }

  private static int cached(ChatResponse response) {
    return ((OpenAiTokenUsage) response.tokenUsage()).inputTokensDetails().cachedTokens();
  }

  @Test
  void asTheDocumentationShowsIt() {
    ChatModel model =
        OpenAiChatModel.builder()
            .baseUrl(url + "/v1")
            .apiKey("key")
            .modelName("tiny")
            .maxTokens(32)
            .build();
    ChatResponse answer = model.chat(UserMessage.from("What is a cache?"));
    OpenAiTokenUsage usage = (OpenAiTokenUsage) answer.tokenUsage();
    System.out.println(answer.aiMessage().text());
    System.out.println(usage.inputTokensDetails().cachedTokens() + " tokens were cached");
    assertTrue(usage.outputTokenCount() > 0);
  }

  @Test
  void aConversationFindsItsOwnPast() {
    ChatModel model = model().build();
    SystemMessage system = SystemMessage.from("You answer in one word, whatever is asked.");
    UserMessage first = UserMessage.from("Where to?");
    ChatResponse cold = model.chat(system, first);
    assertEquals(0, cached(cold));
    AiMessage answer = cold.aiMessage();
    ChatResponse next = model.chat(system, first, answer, UserMessage.from("And then?"));
    int past = cold.tokenUsage().inputTokenCount();
    assertTrue(cached(next) >= past, cached(next) + " of " + past);
    assertEquals(cold.aiMessage().text(), model.chat(system, first).aiMessage().text());
  }

  @Test
  void aStreamSaysWhatTheWholeAnswerSays() throws Exception {
    String whole = model().build().chat("Tell me of streams");
    List<String> pieces = new ArrayList<>();
    CompletableFuture<ChatResponse> end = new CompletableFuture<>();
    OpenAiStreamingChatModel.builder()
        .baseUrl(url + "/v1")
        .apiKey("key")
        .modelName("tiny")
        .temperature(0.0)
        .maxTokens(8)
        .build()
        .chat(
            "Tell me of streams",
            new StreamingChatResponseHandler() {
              @Override
              public void onPartialResponse(String piece) {
                pieces.add(piece);
              }

              @Override
              public void onCompleteResponse(ChatResponse response) {
                end.complete(response);
              }

              @Override
              public void onError(Throwable error) {
                end.completeExceptionally(error);
              }
            });
    ChatResponse streamed = end.get();
    assertEquals(whole, streamed.aiMessage().text());
    assertEquals(whole, String.join("", pieces));
    assertTrue(pieces.size() > 1, pieces.toString());
    assertTrue(cached(streamed) > 0);
  }

  @Test
  void errorsAreTakenForWhatTheyAre() {
    assertThrows(AuthenticationException.class, () -> model().apiKey("wrong").build().chat("Hi"));
    assertThrows(ModelNotFoundException.class, () -> model().modelName("gpt-4").build().chat("Hi"));
    InvalidRequestException wrong =
        assertThrows(
            InvalidRequestException.class, () -> model().temperature(3.0).build().chat("Hi"));
    assertTrue(wrong.getMessage().contains("temperature must be from"), wrong.getMessage());
    assertFalse(model().build().chat("Hi").isEmpty());
  }
}
