package kv4j.apps.measure;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvCaches;
import kv4j.cache.faulty.FaultyCacheProvider;

/**
 * The caches that a run is to use, each once.
 *
 * @param tested the one under test
 * @param alongside others
 */
public record CacheChoice(KvCacheProvider tested, List<KvCacheProvider> alongside) {
  public CacheChoice {
    alongside = List.copyOf(alongside);
    Set<String> names = new HashSet<>(Set.of(tested.name()));
    for (KvCacheProvider other : alongside) {
      if (!names.add(other.name())) {
        throw new IllegalArgumentException("--also names " + other.name() + ", which runs anyway");
      }
    }
  }

  /**
   * By their names.
   *
   * @param loader where caches are looked for
   * @throws IllegalArgumentException with one sentence if there is no cache of a name, or one is
   *     named twice
   */
  public CacheChoice(String tested, List<String> alongside, ClassLoader loader) {
    this(tested, alongside, KvCaches.providers(loader));
  }

  private CacheChoice(String tested, List<String> others, Map<String, KvCacheProvider> known) {
    this(find(tested, known), others.stream().map(name -> find(name, known)).toList());
  }

  private static KvCacheProvider find(String name, Map<String, KvCacheProvider> known) {
    if (FaultyCacheProvider.isNamedBy(name)) {
      return FaultyCacheProvider.of(name, over -> find(over, known));
    }
    KvCacheProvider provider = known.get(name);
    if (provider == null) {
      throw new IllegalArgumentException(
          "there is no cache named " + name + "; there are " + String.join(", ", known.keySet()));
    }
    return provider;
  }

  /** All of them. */
  public List<KvCacheProvider> all() {
    return Stream.concat(Stream.of(tested), alongside.stream()).toList();
  }
}
