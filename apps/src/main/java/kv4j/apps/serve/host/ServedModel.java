package kv4j.apps.serve.host;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import kv4j.apps.lesson.Classroom;
import kv4j.apps.model.LoadedModel;
import kv4j.apps.serve.events.EventLog;
import kv4j.apps.serve.openai.ModelCard;
import kv4j.apps.store.OpenStore;
import kv4j.apps.text.SessionCache;
import kv4j.apps.text.TextSession;
import kv4j.cache.CacheMetrics;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.block.KvLayout;
import kv4j.cache.radix.RadixKvCache;
import kv4j.inference.EngineOptions;
import kv4j.inference.GenerationRequest;
import kv4j.inference.Generator;
import kv4j.inference.InferenceEngine;
import kv4j.inference.schedule.Scheduler;
import kv4j.inference.schedule.SchedulerOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A model at work: its engine, its cache, and the records of both. */
public final class ServedModel implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ServedModel.class);
  private static final int WARM_UP_TOKENS = 96;
  private static final int FEW = 8; // tokens to generate
  private static final long WARM_UP_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final OpenStore store;
  private final TextSession session;
  private final ModelCard card;
  private final Scheduler scheduler;
  private final EventLog events;
  private final PrometheusMeterRegistry metrics =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Recorder recorder;
  private volatile boolean closing;

  /**
   * @param cache what is kept of prompts
   * @param store what the cache has behind it; the caller's, who closes it after this
   * @param scheduling how requests are run
   * @throws IllegalArgumentException if the cache's bytes are too few, or it is to be wrong in a
   *     layer that the model has not
   */
  public ServedModel(
      LoadedModel loaded,
      EngineOptions options,
      SessionCache cache,
      OpenStore store,
      SchedulerOptions scheduling) {
    this.store = store;
    events = new EventLog(loaded.model().tokenizer());
    session = new TextSession(loaded.model(), options, cache, store, events);
    card =
        new ModelCard(
            loaded.model().name(),
            loaded.model().tokenizer(),
            loaded.template(),
            loaded.model().config().context());
    scheduler = new Scheduler(session.engine(), session.forRequests(), scheduling);
    recorder = new Recorder(new ServerMetrics(metrics, scheduler), events, card.tokenizer());
    new CacheMetrics(session.cache(), "prefix").bindTo(metrics);
    store.kind().ifPresent(kind -> StoreMetrics.bind(store, metrics));
  }

  /** What requests need to know of the model. */
  public ModelCard card() {
    return card;
  }

  /** What runs requests. */
  public Scheduler scheduler() {
    return scheduler;
  }

  /** The model for lessons, which have caches of their own. */
  public Classroom classroom() {
    return new Classroom(session.engine(), session.engine().model().tokenizer());
  }

  /** What has been computed so far. */
  public RadixKvCache cache() {
    return session.cache();
  }

  /** What is behind that. */
  public OpenStore store() {
    return store;
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

  /**
   * Computes for a while what nobody asked for and nobody sees, beside requests, so that the JVM
   * compiles what they need: a first one would else take many times as long as those after it.
   *
   * @return what does so
   */
  public Thread startWarmUp() {
    Thread thread = new Thread(this::warmUp, "kv4j-warm-up");
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private void warmUp() {
    InferenceEngine engine = session.engine();
    int vocabulary = engine.model().config().vocabulary();
    int length = Math.min(WARM_UP_TOKENS, engine.model().config().context() / 2);
    GenerationRequest request =
        GenerationRequest.greedy(
            IntStream.range(0, length).map(i -> i % vocabulary).toArray(), FEW);
    KvCacheConfig config = KvCacheConfig.of(session.cache().layout(), Long.MAX_VALUE);
    long end = System.nanoTime() + WARM_UP_NANOS;
    try (KvCache none = new RequestCacheProvider().create(config)) {
      Generator generator = new Generator(engine, none);
      while (!closing && System.nanoTime() < end) {
        generator.generate(request, false);
      }
    } catch (RuntimeException e) {
      LOG.debug("the warm-up ended early", e); // requests will say what is wrong, if anything
    }
  }

  /** Cancels what still runs, and gives everything back. */
  @Override
  public void close() {
    closing = true;
    scheduler.close();
    session.close();
    metrics.close();
  }
}
