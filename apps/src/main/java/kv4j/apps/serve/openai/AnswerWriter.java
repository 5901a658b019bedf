package kv4j.apps.serve.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import kv4j.model.Tokenizer;

/** Writes the answer to one request down, whole or in chunks. Not thread-safe. */
public final class AnswerWriter {
  private final boolean chat;
  private final boolean logprobs;
  private final boolean usageApart;
  private final ModelCard model;
  private final String id;
  private final long created = Instant.now().getEpochSecond();
  private final BitSet begun = new BitSet();

  public AnswerWriter(Ask ask, ModelCard model) {
    chat = ask.chat();
    logprobs = ask.settings().logprobs().isPresent();
    usageApart = ask.settings().stream() && ask.settings().includeUsage();
    this.model = model;
    id = (chat ? "chatcmpl-" : "cmpl-") + UUID.randomUUID().toString().replace("-", "");
  }

  /** What the answer is called. */
  public String id() {
    return id;
  }

  private ObjectNode begin(boolean chunk) {
    String chatObject = chunk ? "chat.completion.chunk" : "chat.completion";
    ObjectNode json = JsonNodeFactory.instance.objectNode().put("id", id);
    json.put("object", chat ? chatObject : "text_completion");
    return json.put("created", created).put("model", model.id());
  }

  /**
   * The whole answer.
   *
   * @param answers each from its beginning to its end
   */
  public ObjectNode whole(List<Piece> answers, Account account) {
    ObjectNode json = begin(false);
    ArrayNode choices = json.putArray("choices");
    for (Piece answer : answers) {
      ObjectNode choice = choices.addObject().put("index", answer.answer());
      if (chat) {
        ObjectNode message = choice.putObject("message").put("role", "assistant");
        message.put("content", answer.text()).putNull("refusal");
      } else {
        choice.put("text", answer.text());
      }
      end(choice, answer);
    }
    account.addTo(json, model.tokenizer());
    return json;
  }

  /**
   * The next stretch of a streamed answer; before a chat's first comes a chunk with the role alone,
   * as OpenAI sends it and clients expect it.
   */
  public List<ObjectNode> chunks(Piece piece) {
    if (chat && !begun.get(piece.answer())) {
      begun.set(piece.answer());
      Piece nothing = new Piece(piece.answer(), "", List.of(), Optional.empty());
      ObjectNode opening = chunk(nothing);
      ((ObjectNode) opening.at("/choices/0/delta")).put("role", "assistant").put("content", "");
      return List.of(opening, chunk(piece));
    }
    return List.of(chunk(piece));
  }

  private ObjectNode chunk(Piece piece) {
    ObjectNode json = begin(true);
    ObjectNode choice = json.putArray("choices").addObject().put("index", piece.answer());
    if (chat) {
      ObjectNode delta = choice.putObject("delta");
      if (!piece.text().isEmpty()) {
        delta.put("content", piece.text());
      }
    } else {
      choice.put("text", piece.text());
    }
    end(choice, piece);
    if (usageApart) {
      json.putNull("usage");
    }
    return json;
  }

  /** The last stretch of a streamed answer, with its accounts unless these come apart from it. */
  public List<ObjectNode> lastChunks(Piece piece, Account account) {
    List<ObjectNode> chunks = chunks(piece);
    if (!usageApart) {
      account.addTo(chunks.get(chunks.size() - 1), model.tokenizer());
    }
    return chunks;
  }

  /** The accounts apart, after the last stretch. */
  public ObjectNode accounts(Account account) {
    ObjectNode json = begin(true);
    json.putArray("choices");
    account.addTo(json, model.tokenizer());
    return json;
  }

  private void end(ObjectNode choice, Piece piece) {
    if (!logprobs || (piece.tokens().isEmpty() && piece.finish().isEmpty())) {
      choice.putNull("logprobs");
    } else if (chat) {
      ArrayNode content = choice.putObject("logprobs").putArray("content");
      for (Piece.Token token : piece.tokens()) {
        ObjectNode entry = entry(content.addObject(), token.probability());
        ArrayNode top = entry.putArray("top_logprobs");
        token.probability().top().forEach(other -> entry(top.addObject(), other));
      }
    } else {
      completionLogprobs(choice.putObject("logprobs"), piece.tokens());
    }
    choice.put("finish_reason", piece.finish().orElse(null));
  }

  private void completionLogprobs(ObjectNode json, List<Piece.Token> tokens) {
    ArrayNode texts = json.putArray("tokens");
    ArrayNode logarithms = json.putArray("token_logprobs");
    ArrayNode top = json.putArray("top_logprobs");
    ArrayNode offsets = json.putArray("text_offset");
    for (Piece.Token token : tokens) {
      texts.add(name(token.probability().token()));
      logarithms.add(logarithm(token.probability()));
      ObjectNode others = top.addObject();
      token.probability().top().forEach(other -> others.put(name(other.token()), logarithm(other)));
      offsets.add(token.offset());
    }
  }

  private ObjectNode entry(ObjectNode json, TokenProbability probability) {
    json.put("token", text(probability.token())).put("logprob", logarithm(probability));
    ArrayNode bytes = json.putArray("bytes");
    for (byte b : bytes(probability.token())) {
      bytes.add(b & 0xff);
    }
    return json;
  }

  /** JSON has no infinity; OpenAI says this of what is as good as impossible. */
  private static double logarithm(TokenProbability probability) {
    return Math.max(-9999, probability.logprob());
  }

  private byte[] bytes(int token) {
    Tokenizer tokenizer = model.tokenizer();
    return token < tokenizer.vocabulary() ? tokenizer.bytes(token) : new byte[0];
  }

  /** As {@link #text}, but bytes that are no text have names too, as they have with OpenAI. */
  private String name(int token) {
    byte[] bytes = bytes(token);
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return text(token);
    } catch (CharacterCodingException e) {
      StringBuilder name = new StringBuilder("bytes:");
      for (byte b : bytes) {
        name.append("\\x%02x".formatted(b & 0xff));
      }
      return name.toString();
    }
  }

  /** Tokens that say nothing, such as an end of a turn, go by their names. */
  private String text(int token) {
    byte[] bytes = bytes(token);
    return bytes.length == 0 && token < model.tokenizer().vocabulary()
        ? model.tokenizer().name(token)
        : new String(bytes, StandardCharsets.UTF_8);
  }
}
