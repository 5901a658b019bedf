package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kv4j.apps.Programs.Outcome;
import kv4j.cache.block.BlockChain;
import kv4j.cache.block.BlockFormat;
import kv4j.cache.block.BlockKey;
import kv4j.cache.block.KvBlock;
import kv4j.cache.block.KvDtype;
import kv4j.cache.block.KvLayout;
import kv4j.cache.store.ValueCipher;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is done with stored blocks, in a folder with a file for each. */
class CacheAppTest {
  private static final KvLayout LAYOUT = new KvLayout(2, 1, 8, 16, KvDtype.F32);
  private static final String A = "a1".repeat(32); // fingerprints
  private static final String B = "b2".repeat(32);
  private static final Instant NOW = Instant.now();

  @TempDir private Path folder;
  private Path blocks;

  @BeforeEach
  void makeFolder() throws IOException {
    blocks = Files.createDirectory(folder.resolve("blocks"));
  }

  private static int[] tokens(int blocks, int from, int change) {
    int[] tokens = IntStream.range(0, 16 * blocks).toArray();
    for (int i = 16 * from; i < tokens.length; i++) {
      tokens[i] += change;
    }
    return tokens;
  }

  /** Stores a chain, each of whose blocks is a day younger than the one before it. */
  private List<String> store(String model, String tenant, int[] tokens, int ageOfFirst)
      throws IOException {
    BlockChain chain = new BlockChain(LAYOUT, KvDtype.F32, model, tenant, "", tokens);
    List<String> keys = new ArrayList<>();
    for (int i = 0; i < chain.size(); i++) {
      Path file = blocks.resolve(chain.key(i).toString());
      keys.add(chain.key(i).toString());
      long written = NOW.minus(ageOfFirst - i, ChronoUnit.DAYS).toEpochMilli();
      if (!Files.exists(file)) {
        Files.write(file, BlockFormat.write(new KvBlock(LAYOUT), chain, i, written));
      }
    }
    return keys;
  }

  private Outcome cache(String line) {
    return Programs.run("", ("cache " + line.replace("DIR", blocks.toString())).split(" "));
  }

  private Outcome succeed(String line) {
    Outcome outcome = cache(line);
    assertEquals(0, outcome.status(), outcome.err());
    return outcome;
  }

  private JsonNode list(String more) throws IOException {
    return new ObjectMapper().readTree(succeed("list files:DIR --json -" + more).out());
  }

  private Set<String> stored() throws IOException {
    return names(blocks);
  }

  private static Set<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return new HashSet<>(files.map(file -> file.getFileName().toString()).toList());
    }
  }

  private static Set<String> set(List<String> one, List<String> other) {
    Set<String> all = new HashSet<>(one);
    all.addAll(other);
    return all;
  }

  private Path damage(String key, int at) throws IOException {
    byte[] value = Files.readAllBytes(blocks.resolve(key));
    value[at] ^= 4;
    return Files.write(blocks.resolve(key), value);
  }

  @Test
  void listsChainsWithWhatTheyShare() throws IOException {
    List<String> three = store(A, "", tokens(3, 0, 0), 30);
    List<String> four = store(A, "", tokens(4, 2, 1000), 10);
    List<String> other = store(B, "tenant", tokens(1, 0, 0), 2);
    JsonNode report = list("");
    assertEquals(6, report.get("blocks").intValue());
    long size = Files.size(blocks.resolve(three.get(0)));
    assertEquals(6 * size, report.get("bytes").longValue());
    JsonNode chains = report.get("chains");
    assertEquals(
        List.of(four.get(3), three.get(2), other.get(0)), chains.findValuesAsText("chain"));
    assertEquals(List.of("64", "48", "16"), chains.findValuesAsText("tokens"));
    assertEquals(List.of("64", "16", "16"), chains.findValuesAsText("ownTokens"));
    assertEquals(List.of(A, A, B), chains.findValuesAsText("model"));
    assertEquals("f32", chains.at("/0/dtype").textValue());
    assertEquals(size * 4, chains.at("/0/bytes").longValue());
    assertEquals(
        NOW.minus(7, ChronoUnit.DAYS).truncatedTo(ChronoUnit.MILLIS).toString(),
        chains.at("/0/written").textValue());
    assertEquals(chains.at("/0/tenant"), chains.at("/1/tenant"));
    assertFalse(chains.at("/0/tenant").equals(chains.at("/2/tenant")));

    String text = succeed("list files:DIR").out();
    assertTrue(
        text.contains("model a1a1a1a1a1a1: 2 layers, 1 KV heads of 8, blocks of 16 tokens, f32"),
        text);
    assertTrue(text.contains(four.get(3).substring(0, 12)), text);
    assertTrue(text.contains(" 7 days"), text);
    assertTrue(
        text.lines().allMatch(line -> line.length() <= 80 || line.contains(folder.toString())),
        text);
    assertTrue(text.contains("6 blocks, "), text);
    assertFalse(text.contains(" *"), text);

    Files.delete(blocks.resolve(four.get(2)));
    JsonNode gap = list(" --chain " + four.get(3).substring(0, 10)).get("chains");
    assertEquals("[false]", gap.findValuesAsText("whole").toString());
    assertEquals(16, gap.at("/0/ownTokens").intValue());
    assertTrue(succeed("list files:DIR").out().contains("* Blocks before are missing"));
  }

  @Test
  void selectsByModelTenantAndChain() throws IOException {
    List<String> three = store(A, "", tokens(3, 0, 0), 30);
    store(A, "", tokens(4, 2, 1000), 10);
    store(A, "other", tokens(2, 0, 0), 10);
    store(B, "", tokens(1, 0, 0), 2);
    assertEquals(1, list(" --model b2").get("blocks").intValue());
    assertEquals(7, list(" --model a1a1").get("blocks").intValue());
    String tenant = list(" --chain " + three.get(0)).at("/chains/0/tenant").textValue();
    assertEquals(5, list(" --tenant " + tenant.substring(0, 9)).get("blocks").intValue());
    assertEquals(3, list(" --chain " + three.get(2)).get("blocks").intValue());
    Outcome nothing = cache("list files:DIR --model c3");
    assertEquals(2, nothing.status());
    assertEquals("kv4j: there is no such block\n", nothing.err());
  }

  @Test
  void whatIsSavedIsLoadedElsewhereAsItWas() throws IOException {
    List<String> three = store(A, "", tokens(3, 0, 0), 30);
    store(B, "", tokens(2, 0, 0), 2);
    Path file = folder.resolve("some.kvc");
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    String saved = succeed("save files:DIR " + file).out();
    assertTrue(saved.startsWith("saved 5 blocks of files:" + blocks + " to " + file), saved);
    String loaded = succeed("load " + file + " files:" + elsewhere).out();
    assertTrue(loaded.startsWith("loaded 5 blocks, "), loaded);
    assertEquals(stored(), names(elsewhere));
    for (String name : stored()) {
      assertEquals(-1, Files.mismatch(blocks.resolve(name), elsewhere.resolve(name)));
    }
    Outcome again = cache("save files:DIR " + file);
    assertEquals(2, again.status());
    assertEquals("kv4j: " + file + " exists already; --force replaces it\n", again.err());
    damage(three.get(2), 300);
    Outcome one = succeed("save files:DIR " + file + " --force --model a1");
    assertEquals("left out 1 damaged value\n", one.err());
    JsonNode report = new ObjectMapper().readTree(succeed("list " + file + " --json -").out());
    assertEquals(2, report.get("blocks").intValue());
    assertEquals(List.of(three.get(1)), report.get("chains").findValuesAsText("chain"));
  }

  @Test
  void aFileThatIsNotWholeIsLoadedOnlyIfAskedFor() throws IOException {
    store(A, "", tokens(5, 0, 0), 30);
    Path file = folder.resolve("some.kvc");
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    succeed("save files:DIR " + file);
    byte[] whole = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(whole, whole.length * 7 / 10));
    String problem = file + " is cut short or damaged";
    for (String line : List.of("load FILE files:TO", "list FILE", "prune FILE --model a1")) {
      Outcome refused =
          cache(line.replace("FILE", file.toString()).replace("TO", elsewhere.toString()));
      assertEquals(2, refused.status());
      assertEquals("kv4j: " + problem + "\n", refused.err());
    }
    assertEquals(Set.of(), names(elsewhere));
    Outcome rest = succeed("load " + file + " files:" + elsewhere + " --salvage");
    assertEquals(problem + ": loading what is left\n", rest.err());
    assertEquals(3, names(elsewhere).size());
    assertTrue(stored().containsAll(names(elsewhere)));

    Outcome found = cache("verify " + file);
    assertEquals(3, found.status());
    assertEquals("kv4j: " + problem + "\n", found.err());
    succeed("verify " + file + " --delete");
    assertTrue(succeed("verify " + file).out().contains("3 blocks, "));
  }

  @Test
  void verifyTellsAndDeletesWhatIsDamaged() throws IOException {
    List<String> five = store(A, "", tokens(5, 0, 0), 30);
    assertTrue(succeed("verify files:DIR").out().contains("5 blocks, "));
    damage(five.get(1), 2); // magic
    damage(five.get(2), 300); // payload
    Files.move(blocks.resolve(five.get(3)), blocks.resolve("0".repeat(64)));
    Outcome found = cache("verify files:DIR");
    assertEquals(3, found.status());
    assertEquals("kv4j: 3 values of files:" + blocks + " are damaged\n", found.err());
    assertTrue(found.out().contains("damaged: " + five.get(1) + ", "), found.out());
    assertTrue(found.out().contains("is no block of kv4j's"), found.out());
    assertTrue(found.out().contains("its checksum is another"), found.out());
    assertTrue(found.out().contains("is under another's key"), found.out());
    assertEquals(5, stored().size());
    assertTrue(succeed("verify files:DIR --delete").out().endsWith("removed what is damaged\n"));
    assertEquals(Set.of(five.get(0), five.get(4)), stored());
    succeed("verify files:DIR");
  }

  @Test
  void pruneKeepsWhatSomethingYoungerGoesOnFrom() throws IOException {
    List<String> old = store(A, "", tokens(3, 0, 0), 30);
    List<String> young = store(A, "", tokens(4, 1, 1000), 10);
    String said = succeed("prune files:DIR --older-than 20d").out();
    assertTrue(said.contains("removed 2 blocks of files:"), said);
    assertTrue(said.contains(old.get(2).substring(0, 12)), said);
    assertEquals(new HashSet<>(young), stored());
    succeed("prune files:DIR --older-than 8d");
    assertEquals(new HashSet<>(young), stored(), "the last two are 8 and 7 days old");
  }

  @Test
  void pruneToASizeTakesTheOldestFirst() throws IOException {
    store(A, "", tokens(3, 0, 0), 30);
    List<String> young = store(A, "", tokens(4, 1, 1000), 10);
    long size = Files.size(blocks.resolve(young.get(0)));
    succeed("prune files:DIR --to-bytes " + (7 * size));
    assertEquals(6, stored().size());
    succeed("prune files:DIR --to-bytes " + (5 * size - 1));
    assertEquals(new HashSet<>(young), stored());
    succeed("prune files:DIR --to-bytes " + 2 * size);
    assertEquals(new HashSet<>(young.subList(0, 2)), stored());
  }

  @Test
  void pruneOfAModelAChainAndWhatIsDamaged() throws IOException {
    List<String> three = store(A, "", tokens(3, 0, 0), 30);
    List<String> four = store(A, "", tokens(4, 1, 1000), 10);
    List<String> other = store(B, "", tokens(2, 0, 0), 2);
    succeed("prune files:DIR --chain " + three.get(2));
    assertEquals(set(four, other), stored(), "but for what another chain shares");
    damage(four.get(3), 300);
    String said = succeed("prune files:DIR --damaged").out();
    assertTrue(said.contains("removed 0 blocks and 1 damaged value of "), said);
    assertEquals(set(four.subList(0, 3), other), stored());
    Path file = folder.resolve("some.kvc");
    succeed("save files:DIR " + file);
    succeed("prune files:DIR --model a1");
    assertEquals(new HashSet<>(other), stored());
    succeed("prune " + file + " --model b2");
    assertTrue(succeed("list " + file).out().contains(": 3 blocks, "));
  }

  @Test
  void encryptedBlocksNeedTheirKeyAndAreLeftAloneWithoutIt() throws IOException {
    Path key = Files.write(folder.resolve("key"), new byte[32]);
    Path other = Files.writeString(folder.resolve("other"), "ab".repeat(32));
    List<String> keys = store(A, "", tokens(3, 0, 0), 30);
    String plain = "kv4j: the blocks are not encrypted, so that --store-encrypt has no use\n";
    assertEquals(plain, cache("verify files:DIR --delete --store-encrypt " + key).err());
    for (String name : keys) {
      byte[] value = Files.readAllBytes(blocks.resolve(name));
      BlockKey of = BlockKey.of(HexFormat.of().parseHex(name));
      Files.write(blocks.resolve(name), ValueCipher.ofKeyFile(key).encrypt(of, value));
    }
    assertEquals(
        "kv4j: the blocks are encrypted, which needs --store-encrypt FILE\n",
        cache("verify files:DIR --delete").err());
    assertEquals(
        "kv4j: the blocks are encrypted with another key than that of --store-encrypt\n",
        cache("prune files:DIR --damaged --store-encrypt " + other).err());
    assertEquals(3, stored().size());
    assertEquals(3, list(" --store-encrypt " + key).get("blocks").intValue());
    Path file = folder.resolve("some.kvc");
    succeed("save files:DIR " + file + " --store-encrypt " + key);
    assertFalse(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1).contains("KV4J"));
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    succeed("load " + file + " files:" + elsewhere + " --store-encrypt " + key);
    assertEquals(stored(), names(elsewhere));
    damage(keys.get(1), 100);
    assertEquals(3, cache("verify files:DIR --store-encrypt " + key).status());
    succeed("verify files:DIR --delete --store-encrypt " + key);
    assertEquals(2, stored().size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tidy files:HERE | cache's ACTION must be one of save, load, list, verify, prune, not \"tidy\"",
        "save files:HERE | cache save needs STORE FILE",
        "list files:HERE again | cache list needs STORE|FILE",
        "list files:HERE --older-than 1d | cache list has no use for --older-than",
        "verify files:HERE --model a1 | cache verify has no use for --model",
        "save files:HERE x.kvc --delete | cache save has no use for --delete",
        "prune files:HERE | cache prune needs to be told what: --older-than,",
        "list files:HERE --chain x | --chain must be hexadecimal digits, as list shows them, not \"x\"",
        "list no-such.kvc | cannot read no-such.kvc",
        "list nothing | nothing is neither a store, such as disk:DIR, nor a file of blocks, whose name ends in .kvc",
        "save files:HERE out.bin | out.bin is no file of blocks, whose name ends in .kvc",
        "save files:HERE out.kvc | there are no blocks in files:HERE to save",
        "save out.kvc files:HERE | files:HERE is no file of blocks",
        "load no-such.kvc files:HERE | cannot read no-such.kvc",
        "load files:HERE x.kvc | files:HERE is no file of blocks",
        "list files:no-such-folder | there is no folder no-such-folder",
        "list x.kvc --store-ttl 1d | --store-ttl needs a store",
        "list files:HERE --store-ttl 1d | the store files knows of no time-to-live",
        "list files:HERE --store-encrypt no-such | the key file no-such cannot be read",
        "list files:HERE --store-encrypt pom.xml | the key file pom.xml must hold 32 bytes, as they are or in hexadecimal or Base64",
      })
  void refusesBadInputInOneSentence(String line, String sentence) {
    Outcome outcome = cache(line.replace("HERE", blocks.toString()));
    assertEquals(2, outcome.status(), outcome.err());
    assertEquals("", outcome.out());
    assertTrue(
        outcome.err().startsWith("kv4j: " + sentence.replace("HERE", blocks.toString())),
        outcome.err());
    assertEquals(1, outcome.err().lines().count(), outcome.err());
  }
}
