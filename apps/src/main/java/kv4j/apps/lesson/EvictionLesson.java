package kv4j.apps.lesson;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import kv4j.apps.lesson.LessonPart.Table;
import kv4j.apps.lesson.LessonPart.Text;
import kv4j.apps.report.Format;
import kv4j.apps.text.SessionCache;
import kv4j.cache.CacheStats.Removal;
import kv4j.cache.EvictionPolicy;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.GenerationResult;

/** A byte budget, and who makes room. */
final class EvictionLesson implements Lesson {
  private static final int PROMPT_BLOCKS = 2;
  private static final int BUDGET_PROMPTS = 3;

  /** Each letter is a prompt of its own. */
  private static final String ORDER = "AAABCDBA";

  @Override
  public Outline outline() {
    return new Outline(
        "eviction",
        "Eviction and budgets",
        "A cache has a limit in bytes, and a policy decides what is evicted to keep it. What was"
            + " evicted has to be computed again.",
        "How much of the agents' contexts survives in 16 MiB, and does another policy keep more?",
        "./kv4j workflow --quick --max-bytes 16MiB --policy lfu --show-tree");
  }

  @Override
  public void give(Classroom room, Audience audience) throws IOException {
    KvLayout layout = room.layout(KvDtype.F32);
    long block = layout.bytesPerBlock();
    long budget = BUDGET_PROMPTS * PROMPT_BLOCKS * block;
    audience.show(
        new LessonStep(
            "A budget",
            new Text(
                "With this model a block of %d tokens takes %s. The cache of this lesson may keep %s: %d prompts of %d blocks."
                    .formatted(
                        layout.blockTokens(),
                        Format.bytes(block),
                        Format.bytes(budget),
                        BUDGET_PROMPTS,
                        PROMPT_BLOCKS)),
            new Text(
                "Four different prompts, A to D, come in this order: "
                    + String.join(" ", ORDER.split("")))));
    List<List<String>> sums = new ArrayList<>();
    for (EvictionPolicy.Standard policy : EvictionPolicy.Standard.values()) {
      String name = policy.name().toLowerCase(Locale.ROOT);
      KvCacheConfig config = KvCacheConfig.of(layout, budget).withPolicy(policy);
      try (RadixKvCache cache = new RadixKvCache(config)) {
        List<List<String>> rows = run(room, cache);
        audience.show(
            new LessonStep(
                "Under the policy " + name,
                new Table(
                    List.of("prompt", "cached tokens", "why no more", "kept", "evicted blocks"),
                    rows)));
        sums.add(
            List.of(
                name,
                Format.percent(cache.stats().lookups().tokenHitRate()),
                Long.toString(cache.stats().storage().removed(Removal.SIZE))));
      }
    }
    audience.show(
        new LessonStep(
            "Side by side",
            new Table(List.of("policy", "token hit rate", "blocks evicted"), sums),
            new Text(
                "lru lets go of what was used longest ago, lfu of what was used least, fifo of what came"
                    + " first. None is best for every order of requests: try the order of yours.")));
  }

  private static List<List<String>> run(Classroom room, KvCache cache) {
    List<List<String>> rows = new ArrayList<>();
    for (String letter : ORDER.split("")) {
      int tokens = PROMPT_BLOCKS * SessionCache.BLOCK_TOKENS;
      int[] prompt = room.prompt(letter + " is the name of this prompt", tokens);
      GenerationResult result = room.run(cache, prompt, 1);
      rows.add(
          List.of(
              letter,
              "%d of %d".formatted(result.lookup().cachedTokens(), prompt.length),
              result.lookup().reason().label(),
              Format.bytes(cache.stats().storage().bytes()),
              Long.toString(cache.stats().storage().removed(Removal.SIZE))));
    }
    return rows;
  }
}
