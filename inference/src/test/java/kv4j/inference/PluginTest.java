package kv4j.inference;

import static kv4j.inference.EngineTestKit.CACHE_BYTES;
import static kv4j.inference.EngineTestKit.assertMatchesStock;
import static kv4j.inference.EngineTestKit.concat;
import static kv4j.inference.EngineTestKit.randomTokens;
import static kv4j.inference.EngineTestKit.request;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.KvCaches;
import kv4j.cache.block.KvDtype;
import kv4j.cache.contract.Contract;
import kv4j.inference.example.LastPromptCacheProvider;
import kv4j.model.DemoModels;
import kv4j.model.Model;
import kv4j.model.ModelPreset;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** A cache from a JAR that is not on the class path. */
class PluginTest {
  private static final String SERVICE = "META-INF/services/" + KvCacheProvider.class.getName();

  @Test
  void aCacheFromAJarIsFoundByNameAndRuns(@TempDir Path folder) throws Exception {
    Path jar = folder.resolve("last-prompt.jar");
    packExample(jar);
    ClassLoader without = new WithoutExample(getClass().getClassLoader());
    assertFalse(KvCaches.providers(without).containsKey("last-prompt"));
    try (URLClassLoader loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, without)) {
      KvCacheProvider provider = KvCaches.providers(loader).get("last-prompt");
      assertSame(loader, provider.getClass().getClassLoader());
      assertTrue(KvCaches.providers(loader).containsKey("request"), "built-in ones remain");
      run(loader);
    }
  }

  @TestFactory
  Stream<DynamicTest> theExampleKeepsTheContract() {
    return Contract.of(new LastPromptCacheProvider()).entrySet().stream()
        .map(check -> DynamicTest.dynamicTest(check.getKey(), check.getValue()::run));
  }

  private static void run(ClassLoader loader) {
    SplittableRandom random = new SplittableRandom(2);
    Model model = DemoModels.create(ModelPreset.TINY, 2);
    try (InferenceEngine engine = InferenceEngine.create(model, new EngineOptions(2, 64));
        KvCache cache =
            KvCaches.create(
                "last-prompt",
                KvCacheConfig.of(engine.layout(16, KvDtype.F32), CACHE_BYTES),
                loader)) {
      Generator generator = new Generator(engine, cache);
      int[] shared = randomTokens(random, 50, model);
      for (int expectedCached : new int[] {0, 48, 48}) {
        int[] more = {expectedCached, random.nextInt(256)};
        GenerationRequest request = request(concat(shared, more), 3, 0);
        GenerationResult result = generator.generate(request, true);
        assertEquals(expectedCached, result.lookup().cachedTokens());
        assertMatchesStock(model, request, result, result.lookup().toString());
      }
      assertEquals(96 / 156.0, cache.stats().lookups().tokenHitRate());
    }
  }

  /** The example's classes and the one line that names its provider. */
  private static void packExample(Path jar) throws IOException {
    Class<?> provider = LastPromptCacheProvider.class;
    String folder = provider.getPackageName().replace('.', '/');
    Path root;
    try {
      root = Path.of(provider.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IOException(e);
    }
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        Stream<Path> classes = Files.list(root.resolve(folder))) {
      for (Path file : (Iterable<Path>) classes::iterator) {
        out.putNextEntry(new JarEntry(folder + "/" + file.getFileName()));
        Files.copy(file, out);
      }
      out.putNextEntry(new JarEntry(SERVICE));
      out.write(provider.getName().getBytes(StandardCharsets.UTF_8));
    }
  }

  /** The class path without the tests' example and the tests' list of caches. */
  private static final class WithoutExample extends ClassLoader {
    private final ClassLoader all;

    WithoutExample(ClassLoader all) {
      super(all);
      this.all = all;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (name.startsWith(LastPromptCacheProvider.class.getName())) {
        throw new ClassNotFoundException(name);
      }
      return super.loadClass(name, resolve);
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
      List<URL> found = Collections.list(all.getResources(name));
      if (name.equals(SERVICE)) {
        found.removeIf(WithoutExample::namesExample);
      }
      return Collections.enumeration(found);
    }

    private static boolean namesExample(URL list) {
      try (InputStream in = list.openStream()) {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8)
            .contains(LastPromptCacheProvider.class.getName());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
