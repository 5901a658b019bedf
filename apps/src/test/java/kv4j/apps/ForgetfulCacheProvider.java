package kv4j.apps;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import kv4j.cache.ExpectedHits;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.basic.RequestCacheProvider;
import kv4j.cache.radix.RadixProvider;

/** A cache that promises what a radix cache finds, and finds nothing. */
public final class ForgetfulCacheProvider implements KvCacheProvider {
  /** Makes a folder a plug-in that brings it. */
  public static Path plugin(Path folder) throws IOException {
    Path services = folder.resolve("META-INF").resolve("services");
    Files.createDirectories(services);
    Files.writeString(
        services.resolve(KvCacheProvider.class.getName()), ForgetfulCacheProvider.class.getName());
    return folder;
  }

  @Override
  public String name() {
    return "forgetful";
  }

  @Override
  public String description() {
    return "wrong on purpose";
  }

  @Override
  public KvCache create(KvCacheConfig config) {
    return new RequestCacheProvider().create(config);
  }

  @Override
  public Optional<ExpectedHits> expectedHits() {
    return new RadixProvider().expectedHits();
  }
}
