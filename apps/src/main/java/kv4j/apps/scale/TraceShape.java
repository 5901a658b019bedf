package kv4j.apps.scale;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Conversations that are drawn by chance, with the sizes of published traces. A conversation begins
 * with one of a few prompts that many share and goes on turn by turn, each prompt with everything
 * before it.
 *
 * <p>Sources: Qin et al., "Mooncake: Trading More Storage for Less Computation", FAST 2025, table 2
 * (mean lengths, share that can be cached), and for {@link #CONVERSATION} the published trace
 * itself.
 */
public enum TraceShape {
  /**
   * One block of 512 tokens is common to all, first prompts have 6,000 tokens in the median, and
   * next turns come after 3.5 minutes, as in the trace; the number of turns is chosen so that 40 %
   * can be cached, as the paper has it.
   */
  CONVERSATION(1, 512, 5_500, 1.13, 1.65, 1_250, 343, 212),

  /**
   * Calls of tools and agents: long instructions, of which some are much in demand, and short
   * questions. The paper has only the mean length, 8,596 tokens, and that 59 % can be cached;
   * numbers and sizes of instructions are chosen to give these.
   */
  TOOL_AGENT(200, 5_120, 2_100, 1.0, 1.0, 0, 182, 0);

  private final int systems; // prompts that conversations begin with; the n-th has a weight of 1/n
  private final int systemTokens;
  private final double firstMedian; // tokens of the first turn, log-normal
  private final double firstSigma;
  private final double turns; // mean of a conversation, geometric
  private final double turnTokens; // mean that later turns add, exponential, as are the next two
  private final double outputTokens;
  private final double pauseSeconds; // mean between turns

  TraceShape(
      int systems,
      int systemTokens,
      double firstMedian,
      double firstSigma,
      double turns,
      double turnTokens,
      double outputTokens,
      double pauseSeconds) {
    this.systems = systems;
    this.systemTokens = systemTokens;
    this.firstMedian = firstMedian;
    this.firstSigma = firstSigma;
    this.turns = turns;
    this.turnTokens = turnTokens;
    this.outputTokens = outputTokens;
    this.pauseSeconds = pauseSeconds;
  }

  /**
   * Draws a trace.
   *
   * @param count of requests
   * @param rate requests a second
   */
  public Trace draw(int count, double rate, long seed) {
    return new Draw(count, rate, seed).trace();
  }

  /** Mean tokens of a prompt, of a large sample. */
  public double meanPromptTokens() {
    return draw(10_000, 1, 0).meanPromptTokens();
  }

  /** One trace in the making. */
  private final class Draw {
    private final int count;
    private final double rate;
    private final SplittableRandom random;
    private final List<TraceRequest> requests = new ArrayList<>();
    private int lastId;

    Draw(int count, double rate, long seed) {
      this.count = count;
      this.rate = rate;
      random = new SplittableRandom(seed);
    }

    /** Conversations begin one after the other; those that are under way at the end are cut. */
    Trace trace() {
      int[][] beginnings = new int[systems][systemTokens / Trace.PUBLISHED_BLOCK];
      double[] weights = new double[systems];
      for (int i = 0; i < systems; i++) {
        fill(beginnings[i], 0);
        weights[i] = (i == 0 ? 0 : weights[i - 1]) + 1.0 / (i + 1);
      }
      double end = count / rate;
      for (double begin = 0; begin < end; begin += exponential(turns / rate)) {
        double point = random.nextDouble() * weights[systems - 1];
        int system = 0;
        while (weights[system] < point) {
          system++;
        }
        converse(beginnings[system], begin, end);
      }
      return new Trace(Trace.PUBLISHED_BLOCK, 1, requests);
    }

    private void converse(int[] beginning, double begin, double end) {
      int[] ids = beginning;
      double tokens = systemTokens + firstMedian * Math.exp(firstSigma * random.nextGaussian());
      double time = begin;
      do {
        int promptTokens = (int) tokens;
        tokens += exponential(outputTokens);
        int[] prompt = extended(ids, promptTokens / Trace.PUBLISHED_BLOCK + 1);
        int[] kept = extended(prompt, (int) tokens / Trace.PUBLISHED_BLOCK);
        if (time < end) {
          requests.add(new TraceRequest(time, promptTokens, prompt, kept));
        }
        ids = kept;
        tokens += exponential(turnTokens);
        time += exponential(pauseSeconds);
      } while (random.nextDouble() >= 1 / turns);
    }

    /** As many ids, the first of them these; new ones are nobody else's. */
    private int[] extended(int[] ids, int length) {
      int[] longer = Arrays.copyOf(ids, length);
      fill(longer, ids.length);
      return longer;
    }

    private void fill(int[] ids, int from) {
      for (int i = from; i < ids.length; i++) {
        ids[i] = ++lastId;
      }
    }

    private double exponential(double mean) {
      return -mean * Math.log(1 - random.nextDouble());
    }
  }
}
