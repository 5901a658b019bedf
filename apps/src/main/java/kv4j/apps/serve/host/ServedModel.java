package kv4j.apps.serve.host;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.Optional;
import kv4j.apps.lesson.Classroom;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.serve.engine.Engine;
import kv4j.apps.serve.events.EventLog;
import kv4j.apps.serve.openai.ModelCard;
import kv4j.apps.text.TextSession;
import kv4j.cache.CacheMetrics;
import kv4j.cache.block.KvLayout;
import kv4j.cache.faulty.Fault;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.EngineOptions;

/** A model at work: its engine, its cache, and the records of both. */
public final class ServedModel implements AutoCloseable {
  private final TextSession session;
  private final ModelCard card;
  private final Engine engine;
  private final EventLog events;
  private final PrometheusMeterRegistry metrics =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Recorder recorder;

  /**
   * @param fault what is to be wrong with what requests find cached
   * @param cacheBytes most bytes the cache keeps
   * @param maxRunning most requests computed at once
   * @param maxWaiting most requests kept waiting
   * @throws IllegalArgumentException if the cache's bytes are too few, or the fault is of a layer
   *     that the model has not
   */
  public ServedModel(
      LoadedModel loaded,
      EngineOptions options,
      Optional<Fault> fault,
      long cacheBytes,
      int maxRunning,
      int maxWaiting) {
    events = new EventLog(loaded.model().tokenizer());
    session = new TextSession(loaded.model(), options, cacheBytes, fault, events);
    card =
        new ModelCard(
            loaded.model().name(),
            loaded.model().tokenizer(),
            loaded.template(),
            loaded.model().config().context());
    engine = new Engine(session.engine(), session.forRequests(), maxRunning, maxWaiting);
    recorder = new Recorder(new ServerMetrics(metrics, engine), events, card.tokenizer());
    new CacheMetrics(session.cache(), "prefix").bindTo(metrics);
  }

  /** What requests need to know of the model. */
  public ModelCard card() {
    return card;
  }

  /** What runs requests. */
  public Engine engine() {
    return engine;
  }

  /** The model for lessons, which have caches of their own. */
  public Classroom classroom() {
    return new Classroom(session.engine(), session.engine().model().tokenizer());
  }

  /** What has been computed so far. */
  public RadixKvCache cache() {
    return session.cache();
  }

  /** What a token's keys and values take in the cache. */
  public KvLayout layout() {
    return session.cache().layout();
  }

  /** The model's fingerprint, by which the cache tells models apart. */
  public String fingerprint() {
    return session.engine().model().fingerprint();
  }

  /** What has happened lately. */
  public EventLog events() {
    return events;
  }

  /** Figures for Prometheus. */
  public PrometheusMeterRegistry metrics() {
    return metrics;
  }

  /** Takes note of requests. */
  public Recorder recorder() {
    return recorder;
  }

  /** What the model's graph was compiled to, for people. */
  public List<String> describePlan() {
    return session.describePlan();
  }

  /** Cancels what still runs, and gives everything back. */
  @Override
  public void close() {
    engine.close();
    session.close();
    metrics.close();
  }
}
