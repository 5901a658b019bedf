package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import kv4j.apps.store.FilesStoreProvider;
import kv4j.cache.KvCache;
import kv4j.cache.KvCacheConfig;
import kv4j.cache.KvCacheProvider;
import kv4j.cache.store.BlockStore;
import kv4j.cache.store.BlockStoreProvider;
import kv4j.cache.store.StoreOptions;
import kv4j.model.Model;
import kv4j.model.ModelProvider;
import kv4j.model.ModelProviders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginsTest {
  private static final String CACHE = "kv4j.inference.example.LastPromptCacheProvider";
  private static final String MODEL = "kv4j.inference.example.AlibiModelProvider";
  private static final Path SOURCES = Path.of("..", "inference", "src", "test", "java");

  @TempDir private Path folder;

  @Test
  void runsACacheFromAThirdPartysJar() throws Exception {
    Path jar = pack(compile(CACHE), KvCacheProvider.class, CACHE);
    Path json = folder.resolve("report.json");
    String line = "--model-preset tiny --cache last-prompt --json " + json + " --plugins";
    compare(
        Stream.concat(Stream.of(line.split(" ")), Stream.of(jar.toString()))
            .toArray(String[]::new));
    JsonNode requests = new ObjectMapper().readTree(json.toFile()).get("requests");
    // 6 blocks of 16 of the 100 shared tokens, in all requests but the first.
    assertEquals(List.of("0", "96", "96"), requests.findValuesAsText("cachedTokens"));
  }

  @Test
  void runsAModelFromAThirdPartysJar() throws Exception {
    String jar = pack(compile(MODEL), ModelProvider.class, MODEL).toString();
    String built = compare("--model", "provider:alibi:7", "--plugins", jar);
    assertTrue(built.startsWith("alibi: 3 layers"), built);
    Matcher rates = Pattern.compile("token hit rate: (.*)%, expected (.*)%").matcher(built);
    assertTrue(rates.find(), built);
    assertEquals(rates.group(2), rates.group(1));
    // 100 of 148 tokens in 2 of 3 requests, and what the questions have in common
    assertTrue(Double.parseDouble(rates.group(1)) > 100.0 * 2 * 100 / (3 * 148) - 0.1, built);

    Path saved = folder.resolve("alibi.fb");
    try (URLClassLoader loader = new URLClassLoader(new URL[] {Path.of(jar).toUri().toURL()})) {
      ModelProviders.create("alibi", "7", loader).graph().save(saved.toFile(), false);
    }
    String model = "provider:alibi:" + saved;
    compare("--model", model, "--plugins", jar);
    String[] options = {"--prompt", "Hello", "--new-tokens", "9", "--plugins", jar, "--model"};
    String fromCode = generate(options, "provider:alibi:7");
    assertEquals(fromCode, generate(options, model));
    assertNotEquals(fromCode, generate(options, "provider:alibi:8"));

    String[] small = "workflow --requests 1 --new-tokens 1 --prefix-tokens 50".split(" ");
    Stream<String> given = Stream.of("--plugins", jar, "--model", model);
    Programs.succeed("", Stream.concat(Stream.of(small), given).toArray(String[]::new));
    Programs.Outcome chat =
        Programs.succeed(
            "Hi\n", "chat", "--new-tokens", "3", "--plugins", jar, "--model", "provider:alibi");
    assertTrue(chat.err().contains("prompt "), chat.err());
    Programs.Outcome bench =
        Programs.run("", "bench", "--plugins", jar, "--model", "provider:alibi", "--quick");
    assertEquals(2, bench.status());
    assertTrue(bench.err().contains("needs a context of 513 tokens"), bench.err());

    Programs.Outcome unknown =
        Programs.run("", "generate", "--prompt", "x", "--plugins", jar, "--model", "provider:beta");
    assertEquals(2, unknown.status());
    assertEquals("kv4j: there is no model named beta; there are alibi\n", unknown.err());
  }

  @Test
  void aJarWithoutModelsIsRefused() throws Exception {
    String jar = pack(compile(CACHE), KvCacheProvider.class, CACHE).toString();
    Programs.Outcome outcome =
        Programs.run("", "chat", "--plugins", jar, "--model", "provider:beta");
    assertEquals(2, outcome.status());
    assertEquals("kv4j: there are no models in what --plugins names\n", outcome.err());
  }

  @Test
  void aJarThatLacksWhatItNamesIsRefused() throws Exception {
    String jar = pack(folder, ModelProvider.class, "no.such.Provider").toString();
    Programs.Outcome outcome =
        Programs.run("", "chat", "--plugins", jar, "--model", "provider:beta");
    assertEquals(2, outcome.status());
    assertTrue(outcome.err().startsWith("kv4j: a plugin cannot be loaded: "), outcome.err());
    assertTrue(outcome.err().contains("no.such.Provider"), outcome.err());
  }

  /** A cache's provider that is wrong in one way or another. */
  public abstract static class BadCache implements KvCacheProvider {
    @Override
    public String name() {
      return "bad";
    }

    @Override
    public String description() {
      return "wrong on purpose";
    }

    @Override
    public KvCache create(KvCacheConfig config) {
      return null;
    }
  }

  /** Makes nothing. */
  public static final class EmptyCache extends BadCache {}

  /** Throws what is not meant for people. */
  public static final class ThrowingCache extends BadCache {
    @Override
    public KvCache create(KvCacheConfig config) {
      throw new IndexOutOfBoundsException("of its own");
    }
  }

  /** Refuses without a reason. */
  public static final class SilentCache extends BadCache {
    @Override
    public KvCache create(KvCacheConfig config) {
      throw new IllegalArgumentException();
    }
  }

  /** Was built against something else. */
  public static final class AlienCache extends BadCache {
    @Override
    public KvCache create(KvCacheConfig config) {
      throw new NoSuchMethodError("gone");
    }
  }

  /** Has no name. */
  public static final class NamelessCache extends BadCache {
    @Override
    public String name() {
      return null;
    }
  }

  /** Fails before it can be picked. */
  public static final class UnnamableCache extends BadCache {
    @Override
    public String name() {
      throw new IllegalStateException("not yet");
    }
  }

  /** A model's provider that is wrong: it makes nothing. */
  public static class EmptyModel implements ModelProvider {
    @Override
    public String name() {
      return "bad";
    }

    @Override
    public String description() {
      return "wrong on purpose";
    }

    @Override
    public Model create(String argument) {
      return null;
    }
  }

  /** Throws what is not meant for people. */
  public static final class ThrowingModel extends EmptyModel {
    @Override
    public Model create(String argument) {
      throw new IndexOutOfBoundsException("of its own");
    }
  }

  /** Has no name. */
  public static final class NamelessModel extends EmptyModel {
    @Override
    public String name() {
      return null;
    }
  }

  @Test
  void aProviderThatFailsIsNamed() throws Exception {
    Map<Class<? extends KvCacheProvider>, String> caches =
        Map.of(
            EmptyCache.class, "made none",
            ThrowingCache.class, "failed: java.lang.IndexOutOfBoundsException: of its own",
            SilentCache.class, "failed: java.lang.IllegalArgumentException",
            AlienCache.class, "failed: java.lang.NoSuchMethodError: gone",
            NamelessCache.class, "has no name",
            UnnamableCache.class, "failed: java.lang.IllegalStateException: not yet");
    for (var failure : caches.entrySet()) {
      String plugin = plugin(KvCacheProvider.class, failure.getKey());
      Programs.Outcome outcome =
          Programs.run(
              "", "compare", "--model-preset", "tiny", "--cache", "bad", "--plugins", plugin);
      assertFails(outcome, "the cache provider ", failure.getKey(), failure.getValue());
    }
    Map<Class<? extends ModelProvider>, String> models =
        Map.of(
            EmptyModel.class, "made none",
            ThrowingModel.class, "failed: java.lang.IndexOutOfBoundsException: of its own",
            NamelessModel.class, "has no name");
    for (var failure : models.entrySet()) {
      String plugin = plugin(ModelProvider.class, failure.getKey());
      Programs.Outcome outcome =
          Programs.run("", "compare", "--model", "provider:bad", "--plugins", plugin);
      assertFails(outcome, "the model provider ", failure.getKey(), failure.getValue());
    }
  }

  /** A store that no list of the tests' own class path names. */
  public static final class OtherStore implements BlockStoreProvider {
    @Override
    public String name() {
      return "other";
    }

    @Override
    public String description() {
      return "as files";
    }

    @Override
    public BlockStore open(StoreOptions options) {
      return new FilesStoreProvider().open(options);
    }
  }

  @Test
  void runsOnAStoreFromAThirdPartysJar() throws Exception {
    String plugin = plugin(BlockStoreProvider.class, OtherStore.class);
    String store = "other:" + Files.createDirectory(folder.resolve("blocks"));
    String[] line = {
      "generate",
      "--model-preset",
      "tiny",
      "--new-tokens",
      "2",
      "--prompt",
      "x".repeat(99),
      "--store",
      store,
      "--plugins",
      plugin
    };
    Programs.succeed("", line);
    assertTrue(Programs.succeed("", line).err().contains("96 of these from the store"));
    String list = Programs.succeed("", "cache", "list", store, "--plugins", plugin).out();
    assertTrue(list.contains(store + ": 6 blocks, "), list);
    Programs.Outcome without = Programs.run("", Arrays.copyOf(line, line.length - 2));
    assertEquals(2, without.status());
    assertTrue(
        without.err().startsWith("kv4j: there is no store named other; there are "), without.err());
  }

  /** A folder that offers one provider. */
  private <T> String plugin(Class<T> service, Class<? extends T> provider) throws Exception {
    Path plugin = folder.resolve(provider.getSimpleName());
    Path services = Files.createDirectories(plugin.resolve("META-INF").resolve("services"));
    Files.writeString(services.resolve(service.getName()), provider.getName());
    return plugin.toString();
  }

  private static void assertFails(
      Programs.Outcome outcome, String who, Class<?> provider, String how) {
    assertEquals(
        "kv4j: " + who + provider.getName() + " " + how, outcome.err().strip(), outcome.err());
    assertEquals(2, outcome.status());
  }

  private static String compare(String... options) {
    Stream<String> fixed =
        Stream.of("compare", "--requests", "3", "--prefix-tokens", "100", "--new-tokens", "2");
    Programs.Outcome outcome =
        Programs.succeed("", Stream.concat(fixed, Stream.of(options)).toArray(String[]::new));
    assertTrue(outcome.out().contains("identical tokens: yes"), outcome.out());
    return outcome.out();
  }

  private static String generate(String[] options, String model) {
    return Programs.succeed(
            "",
            Stream.of(Stream.of("generate"), Stream.of(options), Stream.of(model))
                .flatMap(part -> part)
                .toArray(String[]::new))
        .out();
  }

  /** The example's classes, in a folder that no class loader of the tests looks into. */
  private Path compile(String example) throws Exception {
    Path classes = Files.createDirectories(folder.resolve("classes"));
    String source = SOURCES.resolve(example.replace('.', '/') + ".java").toString();
    String classPath = System.getProperty("java.class.path");
    String[] args = {"-d", classes.toString(), "-classpath", classPath, source};
    assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, args));
    return classes;
  }

  private Path pack(Path classes, Class<?> service, String provider) throws Exception {
    Path jar = folder.resolve("third party.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        Stream<Path> tree = Files.walk(classes)) {
      List<Path> files = tree.filter(file -> file.toString().endsWith(".class")).toList();
      for (Path file : files) {
        String entry = classes.relativize(file).toString().replace('\\', '/');
        out.putNextEntry(new JarEntry(entry));
        Files.copy(file, out);
      }
      out.putNextEntry(new JarEntry("META-INF/services/" + service.getName()));
      out.write(provider.getBytes(StandardCharsets.UTF_8));
    }
    return jar;
  }
}
