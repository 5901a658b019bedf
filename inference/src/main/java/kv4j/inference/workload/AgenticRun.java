package kv4j.inference.workload;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import kv4j.model.Tokenizer;

/**
 * A recorded run of several agents, from a file such as
 *
 * <pre>{@code
 * {"name": "...", "system": ["a paragraph", ...], "agents": {"planner": "its role", ...},
 *  "steps": [{"agent": "planner", "text": "..."}, ...]}
 * }</pre>
 *
 * <p>Every step is a request. Its prompt is the shared system prompt, the agent's role and the text
 * of all steps of this agent so far: tool calls, their results and what other agents said. So an
 * agent's prompt begins with its previous one.
 *
 * @param name for people
 * @param system paragraphs of the prompt that all agents share, tool descriptions among them
 * @param agents role text by name
 * @param steps in the order of the requests
 */
public record AgenticRun(
    String name, List<String> system, Map<String, String> agents, List<Step> steps) {
  /**
   * One request.
   *
   * @param agent whose it is
   * @param text what the agent's context gains before it
   */
  public record Step(String agent, String text) {}

  public AgenticRun {
    WorkloadFiles.required("name", name);
    system = WorkloadFiles.required("system", system);
    if (agents == null || agents.isEmpty()) {
      throw new IllegalArgumentException("field agents is missing or empty");
    }
    agents.forEach((agent, role) -> WorkloadFiles.required("agents." + agent, role));
    agents = Map.copyOf(agents);
    if (steps == null || steps.isEmpty()) {
      throw new IllegalArgumentException("field steps is missing or empty");
    }
    for (int i = 0; i < steps.size(); i++) {
      String field = "steps[" + i + "]";
      if (steps.get(i) == null) {
        throw new IllegalArgumentException("field " + field + " is missing or empty");
      }
      WorkloadFiles.required(field + ".text", steps.get(i).text());
      String agent = WorkloadFiles.required(field + ".agent", steps.get(i).agent());
      if (!agents.containsKey(agent)) {
        throw new IllegalArgumentException(
            "field " + field + ".agent names " + agent + ", who is not among the agents");
      }
    }
    steps = List.copyOf(steps);
  }

  /** The one that comes with kv4j. */
  public static AgenticRun shipped() {
    return WorkloadFiles.shipped("workflow.json", AgenticRun.class);
  }

  /**
   * @throws IllegalArgumentException with one sentence that names the file and the field or line if
   *     it cannot be read or is malformed
   */
  public static AgenticRun read(Path file) {
    return WorkloadFiles.read(file, AgenticRun.class);
  }

  /**
   * All steps as requests, grouped by agent. The shared prefix is the system prompt. Texts are
   * encoded one by one, so that an agent's next prompt begins with the tokens of its last under any
   * tokenizer.
   */
  public Workload workload(Tokenizer tokenizer, int newTokens) {
    int[] prefix = WorkloadFiles.encodeSystem(tokenizer, system);
    Map<String, int[]> contexts = new HashMap<>();
    agents.forEach(
        (agent, role) ->
            contexts.put(agent, append(tokenizer, prefix, "You are the " + agent + ". " + role)));
    List<WorkloadRequest> requests = new ArrayList<>();
    for (Step step : steps) {
      int[] prompt = append(tokenizer, contexts.get(step.agent()), step.text());
      contexts.put(step.agent(), prompt);
      requests.add(new WorkloadRequest(step.agent(), prompt, prefix.length));
    }
    return new Workload(name, requests, newTokens);
  }

  private static int[] append(Tokenizer tokenizer, int[] context, String text) {
    return WorkloadFiles.concat(context, tokenizer.encode(text + "\n"));
  }
}
