package kv4j.apps.serve.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import kv4j.apps.serve.host.ServedModel;
import kv4j.apps.serve.host.Tenant;
import kv4j.apps.serve.openai.Ask;
import kv4j.apps.serve.openai.Fields;
import kv4j.apps.serve.openai.RequestException;
import kv4j.apps.text.SessionCache;
import kv4j.cache.KvRequest;
import kv4j.inference.GenerationRequest;
import kv4j.inference.Sampling;
import kv4j.inference.schedule.ScheduledResult;

/** Prefixes that stay in the cache by name, until they are let go or their time is over. */
public final class Pins implements AutoCloseable {
  private static final String NAME = "name";
  private static final int MOST_TTL_SECONDS = 366 * 24 * 3600;

  private final ServedModel model;
  private final SortedMap<String, Pin> pins = new TreeMap<>();
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "kv4j-pins");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * A pinned prefix.
   *
   * @param promptTokens of the prefix
   * @param pinnedTokens of these, as whole blocks only are pinned
   * @param cachedTokens of these, that were cached already
   * @param ends when it is let go; empty if that is up to somebody
   */
  public record Pin(
      String name,
      String namespace,
      int promptTokens,
      int pinnedTokens,
      int cachedTokens,
      Optional<Instant> ends) {
    void addTo(ObjectNode json) {
      json.put(NAME, name).put("namespace", namespace).put("prompt_tokens", promptTokens);
      json.put("pinned_tokens", pinnedTokens).put("cached_tokens", cachedTokens);
      json.put("expires_at", ends.map(Instant::toString).orElse(null));
    }
  }

  public Pins(ServedModel model) {
    this.model = model;
  }

  /**
   * Computes a prefix and pins it.
   *
   * @param body its name, the prefix as prompt or messages, and whose it is
   * @throws RequestException if the body is wrong, the name taken or the prefix too short
   */
  public Pin warm(JsonNode body) throws InterruptedException {
    Fields fields = new Fields(body instanceof ObjectNode object ? object : notAnObject());
    String name = Fields.text(fields.require(NAME), NAME);
    if (!name.matches("[\\w.-]{1,64}")) {
      throw RequestException.invalid(
          NAME, "name must have up to 64 letters, digits, dots, dashes and underscores");
    }
    Tenant tenant = new Tenant(fields.text("namespace").orElse(""));
    String salt = fields.text("cache_salt").orElse("");
    Optional<Duration> ttl =
        fields.integer("ttl_seconds", 1, MOST_TTL_SECONDS).stream()
            .mapToObj(Duration::ofSeconds)
            .findFirst();
    model.card().check(fields);
    int[] prompt = Ask.prefix(fields, model.card());
    fields.end();
    model.card().room("prompt", prompt.length, OptionalInt.of(1), 1);
    requireFree(name);
    KvRequest request = tenant.request(prompt, salt, "pin " + name);
    int cached = compute(request);
    Pin pin = pin(name, request.withModel(model.fingerprint()), cached, ttl);
    ttl.ifPresent(
        time -> clock.schedule(() -> expire(pin), time.toMillis(), TimeUnit.MILLISECONDS));
    return pin;
  }

  private static ObjectNode notAnObject() {
    throw RequestException.invalid(null, "a prefix to warm must be a JSON object");
  }

  private synchronized void requireFree(String name) {
    if (pins.containsKey(name)) {
      throw RequestException.of(
          409, "name_taken", "there is a pin named \"%s\" already".formatted(name));
    }
  }

  private int compute(KvRequest request) throws InterruptedException {
    try {
      ScheduledResult result =
          model.scheduler().submit(new GenerationRequest(request, 1, Sampling.GREEDY)).await();
      return result.generation().lookup() == null ? 0 : result.generation().lookup().cachedTokens();
    } catch (IllegalArgumentException e) {
      throw RequestException.of(400, "does_not_fit", e.getMessage());
    } catch (ExecutionException e) {
      throw RequestException.of(
          500, "generation_failed", "the prefix could not be computed: " + e.getMessage());
    }
  }

  private synchronized Pin pin(String name, KvRequest request, int cached, Optional<Duration> ttl) {
    requireFree(name);
    int pinned = model.cache().pin(name, request);
    if (pinned == 0) {
      throw RequestException.of(
          400,
          "nothing_to_pin",
          "only whole blocks of %d tokens are pinned, of which the cache holds none of this prefix"
              .formatted(SessionCache.BLOCK_TOKENS));
    }
    Optional<Instant> ends = ttl.map(Instant.now()::plus);
    Pin pin = new Pin(name, request.namespace(), request.prompt().length, pinned, cached, ends);
    pins.put(name, pin);
    return pin;
  }

  private synchronized void expire(Pin pin) {
    if (pins.remove(pin.name, pin)) {
      model.cache().unpin(pin.name);
    }
  }

  /** All pins, by name. */
  public synchronized List<Pin> all() {
    return new ArrayList<>(pins.values());
  }

  /** A pin by its name. */
  public synchronized Optional<Pin> find(String name) {
    return Optional.ofNullable(pins.get(name));
  }

  /** Lets go of a pin; false if there is none of that name. */
  public synchronized boolean remove(String name) {
    return pins.remove(name) != null && model.cache().unpin(name);
  }

  /**
   * Empties the cache, pins included.
   *
   * @return false if requests were running all the time; then nothing was removed
   */
  public synchronized boolean clearCache(Duration patience) {
    boolean cleared = model.cache().clear(patience);
    if (cleared) {
      pins.clear();
    }
    return cleared;
  }

  @Override
  public void close() {
    clock.shutdownNow();
  }
}
