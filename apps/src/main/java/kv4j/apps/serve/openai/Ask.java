package kv4j.apps.serve.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * A request, read and found to be possible.
 *
 * @param chat whether it came as messages
 * @param prompts ids of each, at least one prompt
 * @param newTokens most tokens to generate for each answer to a prompt, one number per prompt
 */
public record Ask(boolean chat, Settings settings, List<int[]> prompts, List<Integer> newTokens) {
  private static final String PROMPT = "prompt";
  private static final int MOST_PROMPTS = 64;
  private static final int MOST_TOP_LOGPROBS = 20;

  /** As OpenAI has it for completions. */
  private static final int USUAL_COMPLETION = 16;

  /**
   * Reads the body of a chat completion.
   *
   * @throws RequestException if anything in it is wrong or not supported
   */
  public static Ask chat(ObjectNode body, ModelCard model) {
    Fields fields = new Fields(body);
    model.check(fields);
    boolean wanted = fields.flag("logprobs");
    OptionalInt top = fields.integer("top_logprobs", 0, MOST_TOP_LOGPROBS);
    if (top.isPresent() && !wanted) {
      throw RequestException.invalid("top_logprobs", "top_logprobs needs \"logprobs\": true");
    }
    fields.onlyHarmless("response_format", "{\"type\":\"text\"}");
    fields.onlyHarmless("modalities", "[\"text\"]");
    int[] prompt = new Messages(model).read(fields);
    OptionalInt logprobs = wanted ? OptionalInt.of(top.orElse(0)) : OptionalInt.empty();
    OptionalInt most = fields.integer("max_completion_tokens", 1, Integer.MAX_VALUE);
    Settings settings = Settings.read(fields, most, logprobs);
    fields.end();
    if (model.template().isEmpty()) {
      settings = settings.alsoStopping(ModelCard.NEXT_TURN);
    }
    return of(true, settings, List.of(prompt), model, Integer.MAX_VALUE);
  }

  /**
   * Reads the body of a completion.
   *
   * @throws RequestException if anything in it is wrong or not supported
   */
  public static Ask completion(ObjectNode body, ModelCard model) {
    Fields fields = new Fields(body);
    model.check(fields);
    OptionalInt logprobs = fields.integer("logprobs", 0, MOST_TOP_LOGPROBS);
    fields.onlyHarmless("echo", "false");
    fields.onlyHarmless("best_of", "1");
    fields.onlyHarmless("suffix", "\"\"");
    List<int[]> prompts = prompts(fields.require(PROMPT), model);
    Settings settings = Settings.read(fields, OptionalInt.empty(), logprobs);
    fields.end();
    return of(false, settings, prompts, model, USUAL_COMPLETION);
  }

  private static Ask of(
      boolean chat, Settings settings, List<int[]> prompts, ModelCard model, int otherwise) {
    int vocabulary = model.tokenizer().vocabulary();
    if (settings.sampling().bias().keySet().stream().anyMatch(id -> id >= vocabulary)) {
      throw RequestException.invalid(
          "logit_bias", "logit_bias has ids beyond the vocabulary of %d".formatted(vocabulary));
    }
    List<Integer> newTokens =
        prompts.stream()
            .map(
                prompt ->
                    model.room(
                        chat ? "messages" : PROMPT, prompt.length, settings.maxTokens(), otherwise))
            .toList();
    return new Ask(chat, settings, prompts, newTokens);
  }

  private static List<int[]> prompts(JsonNode node, ModelCard model) {
    if (node.isArray() && !node.isEmpty() && !node.get(0).isNumber()) {
      if (node.size() > MOST_PROMPTS) {
        throw RequestException.invalid(
            PROMPT, "prompt takes at most %d prompts, not %d".formatted(MOST_PROMPTS, node.size()));
      }
      List<int[]> prompts = new ArrayList<>();
      node.forEach(one -> prompts.add(prompt(one, PROMPT, model)));
      return prompts;
    }
    return List.of(prompt(node, PROMPT, model));
  }

  /** The ids of a text, or of an array of ids. */
  static int[] prompt(JsonNode node, String path, ModelCard model) {
    if (node.isArray()) {
      return tokens(node, path, model);
    }
    if (!node.isTextual()) {
      throw RequestException.invalid(
          path, path + " must be a text, token ids, or an array of such");
    }
    return model.encode(Fields.text(node, path));
  }

  /**
   * The ids in an array.
   *
   * @throws RequestException if something in it is no id of the model's vocabulary
   */
  public static int[] tokens(JsonNode node, String path, ModelCard model) {
    if (!node.isArray()) {
      throw RequestException.invalid(path, path + " must be an array of token ids");
    }
    int[] tokens = new int[node.size()];
    for (int i = 0; i < tokens.length; i++) {
      String name = "%s[%d]".formatted(path, i);
      tokens[i] = (int) Fields.integer(node.get(i), name, 0, model.tokenizer().vocabulary() - 1);
    }
    return tokens;
  }

  /**
   * The beginning that a body names: a {@code prompt} or {@code messages}, with nothing after them.
   */
  public static int[] prefix(Fields fields, ModelCard model) {
    boolean asPrompt = fields.find(PROMPT).isPresent();
    if (asPrompt == fields.find("messages").isPresent()) {
      throw RequestException.invalid(PROMPT, "either prompt or messages must be given");
    }
    return asPrompt
        ? prompt(fields.require(PROMPT), PROMPT, model)
        : new Messages(model).beginning(fields);
  }
}
