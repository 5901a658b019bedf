package kv4j.cache.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import kv4j.cache.EvictionPolicy;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvCaches;
import kv4j.cache.KvRequest;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.radix.RadixKvCache;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ContractTest {
  @TestFactory
  Stream<DynamicNode> everyCacheOfOursKeepsIt() {
    return KvCaches.providers(getClass().getClassLoader()).values().stream()
        .map(
            provider ->
                dynamicContainer(
                    provider.name(),
                    Contract.of(provider).entrySet().stream()
                        .map(check -> dynamicTest(check.getKey(), check.getValue()::run))));
  }

  @Test
  void thoseAreAllCachesOfOurs() {
    assertEquals(
        Set.of("none", "radix", "request", "simple"),
        KvCaches.providers(getClass().getClassLoader()).keySet());
  }

  /** A radix cache that is made, or asked, in another way than it should be. */
  private record Careless(UnaryOperator<KvCacheConfig> config, UnaryOperator<KvRequest> request)
      implements KvCacheProvider {
    @Override
    public String name() {
      return "careless";
    }

    @Override
    public String description() {
      return "wrong on purpose";
    }

    @Override
    public KvCache create(KvCacheConfig wanted) {
      KvCache cache = new RadixKvCache(config.apply(wanted));
      return (KvCache)
          Proxy.newProxyInstance(
              getClass().getClassLoader(),
              new Class<?>[] {KvCache.class},
              (proxy, method, arguments) ->
                  method.getName().equals("open")
                      ? cache.open(request.apply((KvRequest) arguments[0]))
                      : method.invoke(cache, arguments));
    }
  }

  static Stream<Arguments> carelessCaches() {
    return Stream.of(
        arguments("namespaces", same(), asking(r -> r.withNamespace(""))),
        arguments("namespaces", same(), asking(r -> r.withModel(""))),
        arguments("namespaces", same(), asking(r -> r.withSalt(""))),
        arguments("nothing outlives", making(c -> c.withTicker(() -> 0)), asking(r -> r)),
        arguments(
            "a hit refreshes",
            making(c -> c.timeToLive().map(ttl -> c.withTimeToLive(ttl, true)).orElse(c)),
            asking(r -> r)),
        arguments(
            "the policy", making(c -> c.withPolicy(EvictionPolicy.Standard.LRU)), asking(r -> r)),
        arguments("the listener", making(c -> c.withListener(event -> {})), asking(r -> r)),
        arguments(
            "the size limit", making(c -> KvCacheConfig.of(c.layout(), 1 << 30)), asking(r -> r)),
        arguments(
            "the layout",
            making(c -> KvCacheConfig.of(new KvLayout(2, 2, 4, 8, KvDtype.F32), 1 << 20)),
            asking(r -> r)),
        arguments("statistics", same(), asking(r -> new KvRequest(new int[] {1}, 0, "", "", ""))));
  }

  private static UnaryOperator<KvCacheConfig> same() {
    return config -> config;
  }

  private static UnaryOperator<KvCacheConfig> making(UnaryOperator<KvCacheConfig> change) {
    return change;
  }

  private static UnaryOperator<KvRequest> asking(UnaryOperator<KvRequest> change) {
    return change;
  }

  @ParameterizedTest
  @MethodSource("carelessCaches")
  void whatBreaksAPromiseIsFound(
      String promise, UnaryOperator<KvCacheConfig> config, UnaryOperator<KvRequest> request) {
    Contract.of(new Careless(config, request))
        .forEach(
            (name, check) -> {
              if (name.startsWith(promise)) {
                assertThrows(AssertionError.class, check::run, name);
              }
            });
  }
}
