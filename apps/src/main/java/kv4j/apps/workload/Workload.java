package kv4j.apps.workload;

import java.util.List;
import kv4j.model.TransformerConfig;

/**
 * Requests to run one after another, in order.
 *
 * @param name for people
 * @param requests at least 1
 * @param newTokens most tokens to generate for each, at least 1
 */
public record Workload(String name, List<WorkloadRequest> requests, int newTokens) {
  public Workload {
    requests = List.copyOf(requests);
    if (requests.isEmpty()) {
      throw new IllegalArgumentException("a workload needs at least 1 request");
    }
    if (newTokens < 1) {
      throw new IllegalArgumentException("new tokens must be at least 1, not " + newTokens);
    }
  }

  /**
   * The same workload, stopped early.
   *
   * @throws IllegalArgumentException if it has fewer requests than that, or {@code count} is not
   *     positive
   */
  public Workload first(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("requests must be at least 1, not " + count);
    }
    if (count > requests.size()) {
      throw new IllegalArgumentException(
          "the workload " + name + " has " + requests.size() + " requests, not " + count);
    }
    return new Workload(name, requests.subList(0, count), newTokens);
  }

  /** How many leading requests fit a model's context, with their new tokens. */
  public int fitting(TransformerConfig config) {
    int count = 0;
    while (count < requests.size()
        && requests.get(count).prompt().length + newTokens <= config.context()) {
      count++;
    }
    return count;
  }

  /**
   * Makes sure that a model can take every request.
   *
   * @throws IllegalArgumentException if a prompt and its new tokens are longer than the context
   */
  public void checkFits(TransformerConfig config) {
    for (int i = 0; i < requests.size(); i++) {
      int prompt = requests.get(i).prompt().length;
      if (prompt + newTokens > config.context()) {
        throw new IllegalArgumentException(
            "request "
                + (i + 1)
                + " does not fit the model's context of "
                + config.context()
                + " tokens: its prompt has "
                + prompt
                + " and "
                + newTokens
                + (newTokens == 1 ? " new token is sought" : " new tokens are sought"));
      }
    }
  }
}
