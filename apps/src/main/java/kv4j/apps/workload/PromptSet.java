package kv4j.apps.workload;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonCreator.Mode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kv4j.apps.workload.PromptFormat.Part;
import kv4j.apps.workload.PromptFormat.Passage;
import kv4j.model.Tokenizer;

/**
 * A system prompt and the questions of its users, from a file such as
 *
 * <pre>{@code
 * {"name": "...", "system": ["a paragraph", ...],
 *  "questions": ["a text", {"text": "...", "answer": "the right one"}, ...]}
 * }</pre>
 *
 * @param name for people
 * @param system paragraphs of the prompt that all requests share
 * @param questions what the requests end in
 */
public record PromptSet(String name, List<String> system, List<Question> questions) {
  /**
   * One request.
   *
   * @param answer the right one, if there is one
   */
  public record Question(String text, Optional<String> answer) {
    /** A question whose right answer is not known. */
    @JsonCreator(mode = Mode.DELEGATING)
    public Question(String text) {
      this(text, Optional.empty());
    }

    @JsonCreator(mode = Mode.PROPERTIES)
    public Question {}
  }

  /**
   * How large a workload is to be.
   *
   * @param requests how many; the first is cold
   * @param prefixTokens shared leading tokens of each
   * @param suffixTokens most tokens of each that follow
   * @param newTokens most tokens to generate for each
   */
  public record Sizes(int requests, int prefixTokens, int suffixTokens, int newTokens) {
    /** One cold request of 40 leaves 97.5 % that hit. */
    public static final Sizes DEFAULT = new Sizes(40, 1000, 48, 24);

    /** Shows the whole thing in seconds. */
    public static final Sizes QUICK = new Sizes(10, 1000, 48, 24);

    public Sizes {
      positive("requests", requests);
      positive("prefix tokens", prefixTokens);
      positive("suffix tokens", suffixTokens);
      positive("new tokens", newTokens);
    }

    /** The same with another prefix. */
    public Sizes withPrefix(int tokens) {
      return new Sizes(requests, tokens, suffixTokens, newTokens);
    }

    private static void positive(String name, int value) {
      if (value < 1) {
        throw new IllegalArgumentException(name + " must be at least 1, not " + value);
      }
    }
  }

  public PromptSet {
    WorkloadFiles.required("name", name);
    system = WorkloadFiles.required("system", system);
    if (questions == null || questions.isEmpty()) {
      throw new IllegalArgumentException("field questions is missing or empty");
    }
    for (int i = 0; i < questions.size(); i++) {
      Question question = questions.get(i);
      WorkloadFiles.required("questions[" + i + "]", question == null ? "" : question.text());
    }
    questions = List.copyOf(questions);
  }

  /** The one that comes with kv4j. */
  public static PromptSet shipped() {
    return WorkloadFiles.shipped("compare.json", PromptSet.class);
  }

  /**
   * @throws IllegalArgumentException with one sentence that names the file and the field or line if
   *     it cannot be read or is malformed
   */
  public static PromptSet read(Path file) {
    return WorkloadFiles.read(file, PromptSet.class);
  }

  /**
   * The largest sizes up to {@code most} for which there is enough text (a token may be many
   * letters) and room in the context. What has to shrink to fit the context is the prefix.
   *
   * @param context most tokens of a prompt and its new ones
   */
  public Sizes fitting(PromptFormat format, Sizes most, int context) {
    int prefix = Math.min(most.prefixTokens(), format.system(system).tokens().length);
    Sizes sizes = most.withPrefix(prefix);
    // What a template adds is not known before.
    for (long over = over(format, sizes, context);
        over > 0 && sizes.prefixTokens() > 1;
        over = over(format, sizes, context)) {
      int less = (int) Math.max(1, sizes.prefixTokens() - over);
      sizes = sizes.withPrefix(less);
    }
    return sizes;
  }

  private long over(PromptFormat format, Sizes sizes, int context) {
    int requests = Math.min(sizes.requests(), questions.size());
    int longest =
        prompts(format, sizes, requests).stream().mapToInt(prompt -> prompt.length).max().orElse(0);
    return (long) longest + sizes.newTokens() - context;
  }

  /** The same, with texts as they are. */
  public Workload workload(Tokenizer tokenizer, Sizes sizes) {
    return workload(PromptFormat.plain(tokenizer), sizes);
  }

  /**
   * Requests of the sizes asked for: the system prompt (after the begin token, if there is one) and
   * longer questions are cut to them, and nothing is padded or repeated. A template's own tokens
   * come on top. What is cut, or asked without a template, has no right answer.
   *
   * @throws IllegalArgumentException if there is not enough text for that
   */
  public Workload workload(PromptFormat format, Sizes sizes) {
    if (sizes.requests() > questions.size()) {
      throw new IllegalArgumentException(
          "the workload "
              + name
              + " has "
              + questions.size()
              + " questions, too few for "
              + sizes.requests()
              + " requests");
    }
    Passage whole = format.system(system);
    WorkloadFiles.requireTokens(name, "system prompt", whole.tokens().length, sizes.prefixTokens());
    Passage prefix = format.first(whole, sizes.prefixTokens());
    List<int[]> prompts = prompts(format, sizes, sizes.requests());
    int shared = format.sharedTokens(prefix, prompts);
    List<WorkloadRequest> requests = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      Question question = questions.get(i);
      Passage asked = format.passage(question.text());
      boolean isWhole = prefix == whole && asked == format.first(asked, sizes.suffixTokens());
      Optional<String> answer = question.answer().filter(right -> isWhole && format.isChat());
      requests.add(new WorkloadRequest(name, prompts.get(i), shared, answer));
    }
    return new Workload(name, requests, sizes.newTokens());
  }

  private List<int[]> prompts(PromptFormat format, Sizes sizes, int requests) {
    Passage prefix = format.first(format.system(system), sizes.prefixTokens());
    return questions.subList(0, requests).stream()
        .map(question -> format.first(format.passage(question.text()), sizes.suffixTokens()))
        .map(suffix -> format.prompt(List.of(Part.system(prefix), Part.user(suffix))))
        .toList();
  }
}
