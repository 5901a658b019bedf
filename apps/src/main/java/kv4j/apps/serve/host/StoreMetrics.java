package kv4j.apps.serve.host;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.function.ToDoubleFunction;
import kv4j.apps.store.OpenStore;
import kv4j.cache.store.StoreContents;

/** Figures of what is in the store behind the cache, for Prometheus; not known while it opens. */
final class StoreMetrics {
  private StoreMetrics() {}

  static void bind(OpenStore store, MeterRegistry registry) {
    gauge(registry, "blocks", "blocks in the store", null, store, StoreContents::values);
    gauge(registry, "size", "bytes in the store", "bytes", store, StoreContents::bytes);
    gauge(
        registry,
        "nodes",
        "processes that keep the store together",
        null,
        store,
        contents -> contents.nodes().size());
  }

  private static void gauge(
      MeterRegistry registry,
      String name,
      String description,
      String unit,
      OpenStore store,
      ToDoubleFunction<StoreContents> value) {
    Gauge.builder(
            "kv4j.store." + name,
            store,
            s -> s.contents().map(value::applyAsDouble).orElse(Double.NaN))
        .description(description)
        .baseUnit(unit)
        .register(registry);
  }
}
