package kv4j.inference.workload;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import kv4j.model.Tokenizer;

/**
 * A system prompt and the questions of its users, from a file such as
 *
 * <pre>{@code
 * {"name": "...", "system": ["a paragraph", ...], "questions": ["...", ...]}
 * }</pre>
 *
 * @param name for people
 * @param system paragraphs of the prompt that all requests share
 * @param questions what the requests end in
 */
public record PromptSet(String name, List<String> system, List<String> questions) {
  /**
   * How large a workload is to be.
   *
   * @param requests how many; the first is cold
   * @param prefixTokens shared leading tokens of each
   * @param suffixTokens tokens of each that follow
   * @param newTokens tokens to generate for each
   */
  public record Sizes(int requests, int prefixTokens, int suffixTokens, int newTokens) {
    /** One cold request of 40 leaves 97.5 % that hit. */
    public static final Sizes DEFAULT = new Sizes(40, 1000, 48, 16);

    /** Shows the whole thing in seconds. */
    public static final Sizes QUICK = new Sizes(10, 500, 48, 8);

    public Sizes {
      positive("requests", requests);
      positive("prefix tokens", prefixTokens);
      positive("suffix tokens", suffixTokens);
      positive("new tokens", newTokens);
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
    questions = WorkloadFiles.required("questions", questions);
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
   * Sizes of at most so much that there is enough text for in a model's tokens, which may be many
   * letters each, and room in its context; the prefix gives way to that.
   *
   * @param context most tokens of a prompt and its new ones
   */
  public Sizes fitting(Tokenizer tokenizer, Sizes most, int context) {
    int suffix = most.suffixTokens();
    for (String question : questions.subList(0, Math.min(most.requests(), questions.size()))) {
      suffix = Math.min(suffix, tokenizer.encode(question).length);
    }
    suffix = Math.max(1, suffix);
    int prefix =
        Math.min(most.prefixTokens(), WorkloadFiles.encodeSystem(tokenizer, system).length);
    int room = Math.max(1, context - suffix - most.newTokens());
    return new Sizes(most.requests(), Math.min(prefix, room), suffix, most.newTokens());
  }

  /**
   * Requests of exactly the sizes asked for: the system prompt (after the begin token, if there is
   * one) and the questions are cut to them, never padded or repeated.
   *
   * @throws IllegalArgumentException if there is not enough text for that
   */
  public Workload workload(Tokenizer tokenizer, Sizes sizes) {
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
    int[] prefix =
        WorkloadFiles.cut(
            name,
            "system prompt",
            WorkloadFiles.encodeSystem(tokenizer, system),
            sizes.prefixTokens());
    List<WorkloadRequest> requests = new ArrayList<>();
    for (int i = 0; i < sizes.requests(); i++) {
      int[] suffix =
          WorkloadFiles.cut(
              name,
              "question " + (i + 1),
              tokenizer.encode(questions.get(i)),
              sizes.suffixTokens());
      requests.add(new WorkloadRequest(name, WorkloadFiles.concat(prefix, suffix), prefix.length));
    }
    return new Workload(name, requests, sizes.newTokens());
  }
}
