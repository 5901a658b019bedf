package kv4j.apps;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.CompletionCommand;
import kv4j.apps.cli.Terminal;
import org.apache.commons.cli.Option;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  private record Outcome(int status, String out, String err) {}

  private static Outcome run(String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Terminal terminal = new Terminal(new PrintStream(out), new PrintStream(err), false, false);
    int status = Main.run(args, terminal);
    return new Outcome(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  static List<Command> commands() {
    return List.of(
        new PromptComparisonApp(),
        new AgenticWorkflowApp(),
        new GenerateApp(),
        new ChatApp(),
        new EvalApp(),
        new CacheApp(),
        new ServeApp(),
        new InspectApp(),
        new ExportApp(),
        new BenchApp(),
        new SimulateApp(),
        new CompletionCommand(List::of));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "help", "--help", "-h"})
  void listsCommands(String args) {
    Outcome outcome = run(args.isEmpty() ? new String[0] : args.split(" "));
    assertEquals(0, outcome.status());
    for (Command command : commands()) {
      String text = outcome.out().replaceAll("\\s+", " ");
      assertTrue(text.contains(" " + command.name() + " " + command.description()), text);
    }
    assertEquals("", outcome.err());
  }

  @ParameterizedTest
  @MethodSource("commands")
  void listsOptionsWithTheirDefaults(Command command) {
    Outcome outcome = run(command.name(), "--help");
    assertEquals(0, outcome.status());
    assertEquals(outcome, run("help", command.name()));
    assertEquals(outcome, run(command.name(), "-h"));
    String help = outcome.out().replaceAll("\\s+", " ");
    for (Option option : command.options().getOptions()) {
      assertTrue(help.contains("--" + option.getLongOpt() + " "), option.getLongOpt());
      assertTrue(help.contains(option.getDescription()), option.getDescription());
    }
    for (String line : outcome.out().split("\n")) {
      assertTrue(line.length() <= Terminal.COLUMNS, line);
    }
  }

  /** With {@code --help}, a command line is checked, but not run. */
  @ParameterizedTest
  @MethodSource("commands")
  void examplesAreRight(Command command) {
    String help = run(command.name(), "--help").out();
    assertFalse(command.examples().isEmpty());
    for (String example : command.examples()) {
      assertTrue(help.contains("\n  kv4j " + example + "\n"), help);
      assertTrue(example.startsWith(command.name()), example);
      String line = example.replaceFirst(" *[#<>].*", "").replaceAll("\"[^\"]*\"", "text");
      Outcome outcome = run((line + " --help").split(" "));
      assertEquals(help, outcome.out(), outcome.err());
    }
  }

  @Test
  void saysItsVersion() {
    String version = run("--version").out();
    assertTrue(version.matches("kv4j .*, Java " + Runtime.version().feature() + ".*\\R"), version);
    assertEquals(version, run("version").out());
  }

  @Test
  void defaultsAreTheOnesPromised() {
    String compare = run("compare", "--help").out().replaceAll("\\s+", " ");
    assertTrue(compare.contains("--requests N requests to run (default: 40)"), compare);
    assertTrue(compare.contains("all requests share, or what there is (default: 1000)"), compare);
    assertTrue(compare.contains("different in each (default: 48)"), compare);
    assertTrue(compare.contains("(default: 24)"), compare);
    String workflow = run("workflow", "--help").out().replaceAll("\\s+", " ");
    assertTrue(workflow.contains("requests (default: 50, or all that fit)"), workflow);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "comapre | there is no command \"comapre\"; did you mean compare?",
        "xyzzyxyzzy | there is no command \"xyzzyxyzzy\"; there are compare, workflow, generate,",
        "compare --request 3 | compare has no option --request; did you mean --requests?",
        "compare --layers | compare has no option --layers; there are --requests,",
        "compare --requests | --requests needs a value",
        "compare --requests 0 | --requests must be at least 1, not 0",
        "compare --requests -3 | --requests must be at least 1, not -3",
        "compare --prefix-tokens ten | --prefix-tokens must be a whole number",
        "compare --ttl -5m | --ttl must be a positive duration",
        "compare --ttl 0s | --ttl must be longer than 0",
        "compare --max-bytes 0 | --max-bytes must be more than 0 bytes",
        "compare --max-bytes -1MiB | --max-bytes must be a positive size",
        "compare --block-size 0 | --block-size must be at least 1",
        "compare --threads 0 | --threads must be at least 1",
        "compare --repeat 0 | --repeat must be at least 1",
        "compare --device tpu | --device must be one of auto, cpu, gpu",
        "compare --device gpu | --device gpu is not possible",
        "compare --policy mru | --policy must be one of lru, lfu, fifo, not \"mru\"",
        "compare --cache-dtype f8 | --cache-dtype must be one of f32, f16,",
        "compare --model-preset huge | --model-preset must be one of demo-32, S, M, tiny, not huge",
        "compare --model x --model-preset tiny | --model and --model-preset exclude each other",
        "compare --context 9 | --context needs --model FILE",
        "compare --model no-such.gguf | no-such.gguf",
        "bench --model x --shape 2,64,4,2,176 | --model and --shape exclude each other",
        "compare --json no-such-folder/x.json | cannot write no-such-folder/x.json",
        "compare --plugins no-such.jar | --plugins cannot read no-such.jar",
        "compare --workload no-such.json | no-such.json",
        "compare --model-preset tiny --cache nosuch | there is no cache named nosuch",
        "compare --model-preset tiny --cache request --new-tokens 3500 | context",
        "workflow --requests 0 | --requests must be at least 1",
        "workflow --model-preset tiny --requests 5000 | 5000",
        "compare --model-preset tiny --block-size 5120 | --block-size of 5120 tokens is over",
        "compare --model-preset tiny --block-size 7 | --block-size must be a multiple of 16, not 7",
        "compare --threads 100000 | --threads must be at most 256, not 100000",
        "bench --threads 257 | --threads must be at most 256, not 257",
        "compare --new-tokens 99999999999 | --new-tokens must be at most 2147483647",
        "generate --prompt x --new-tokens 2147483647 --model-preset tiny | 2147483647 new ones do not fit",
        "compare --json target | cannot write target: it is a folder",
        "compare --json /dev/null | cannot write /dev/null: it is a pipe or a device",
        "compare --workload ../testdata/compare.json --json ../testdata/compare.json | it is what is read",
        "inspect ../testdata/stories260K/stories260K.gguf --json ../testdata/stories260K/stories260K.gguf | it is what is read",
        "export --model ../testdata/stories260K/stories260K.gguf --gguf ../testdata/stories260K/stories260K.gguf --force | it is what is read",
        "compare --model-preset tiny --cache simple --max-bytes 1kB | prefix of 1000 tokens",
        "compare --model-preset tiny --max-bytes 1kB | below one block",
        "generate --prompt x --temperature -1 | --temperature must be 0 or more, not -1",
        "generate --prompt x --temperature hot | --temperature must be a number, not \"hot\"",
        "generate --prompt x --top-k 0 | --top-k must be at least 1, not 0",
        "generate --prompt x --top-p 0 | --top-p must be above 0 and at most 1, not 0",
        "generate --prompt x --min-p 2 | --min-p must be from 0 to 1, not 2",
        "generate --prompt x --repeat-penalty 0 | --repeat-penalty must be above 0, not 0",
        "generate --prompt x --new-tokens 4096 --model-preset tiny | 2 tokens and 4096 new do not",
        "inspect | inspect needs one FILE, not 0",
        "inspect a b | inspect needs one FILE, not 2",
        "inspect no-such.gguf | no-such.gguf",
        "export --model-preset tiny | export needs --gguf FILE",
        "export --gguf x --type q5_k | --type must be one of f32, f16, q8_0, q4_0, not \"q5_k\"",
        "export --gguf pom.xml | pom.xml exists already; --force replaces it",
        "export --gguf no-such/x.gguf | cannot write no-such/x.gguf: there is no folder",
        "bench --compare stock,tea | --compare must be one of stock, plain, not \"tea\"",
        "bench --shape 2,64,4,2 | --shape must be layers,dim,heads,kvHeads,ffn",
        "bench --shape 2,64,4,two,176 | --shape must be a whole number, not \"two\"",
        "bench --shape 2,64,5,1,176 | --shape must have a dim that is a multiple of heads",
        "bench --shape 2,64,4,3,176 | --shape 4 heads cannot share 3 KV heads evenly",
        "bench --shape 2,64,4,2,176 --model-preset tiny | --model-preset and --shape exclude",
        "bench --cold --compare none | --compare and --cold exclude each other",
        "bench --cold --shape 2,64,4,2,176 | --shape and --cold exclude each other",
        "bench --context-long 512 | --context-long must be at least 1024, not 512",
        "bench --model-preset tiny --context-long 4097 | at most the model's context of 4096",
        "bench --prefill-chunk 0 | --prefill-chunk must be at least 1, not 0",
        "bench --json no-such-folder/x.json | cannot write no-such-folder/x.json",
        "compare --model x --seed 7 | --seed is of random weights, and needs --model-preset S, M or tiny",
        "compare --seed 7 | --seed is of random weights, and needs --model-preset S, M or tiny",
        "workflow --model x --seed 7 | --seed is of random weights",
        "export --model x --seed 7 --gguf y | --seed is of random weights",
        "generate --seed 7 --prompt x | --seed needs --temperature, without which nothing is random",
        "chat --top-k 7 | --top-k needs --temperature",
        "compare --cache radix --cache simple | --cache is given more than once",
        "compare --cache request --ttl 5m | --ttl needs a cache that keeps something between",
        "compare --cache request --policy lfu | --policy needs a cache that keeps something between requests",
        "compare --plugins pom.xml | --plugins needs a jar, which pom.xml is not",
        "compare --plugins target/classes | --plugins needs a cache or a model that is in the jar",
        "chat --plugins pom.xml | --plugins needs --model provider:NAME",
        "bench --plugins pom.xml | --plugins needs --model provider:NAME",
        "generate --model provider:nosuch --prompt x | --model provider:nosuch needs --plugins JAR",
        "compare --open | --open needs --html FILE, which is what it opens",
        "compare --cache faulty:layer=x | the layer of the cache faulty must be a number, not \"x\"",
        "compare --cache faulty:over=tea | there is no cache named tea; there are none, radix,",
        "compare --cache faulty:layer=2 --model-preset tiny | a fault's layer must be from 0 to 1",
        "serve --cache simple | --cache must be radix or faulty, not \"simple\"",
        "serve --cache faulty:over=simple | --cache can be faulty over radix only, not over simple",
        "chat --cache faulty:layer=2 --model-preset tiny | a fault's layer must be from 0 to 1",
        "compare --also radix | --also names radix, which runs anyway",
        "compare --also none,tea | there is no cache named tea; there are none, radix, request,",
        "bench --model provider:x --context 9 | --context needs --model FILE",
        "export --model provider:x --gguf y | export writes model files and demo models",
        "generate --store-ttl 1d | --store-ttl needs --store",
        "chat --store none --cluster-multicast | --cluster-multicast needs --store",
        "chat --store disk:blocks --cache faulty | --store does not go with --cache faulty, whose wrong keys and values would be kept",
        "serve --store-when commit | --store-when needs --store",
        "generate --store tape:x --prompt x --model-preset tiny | there is no store named tape; there are cluster, disk,",
        "generate --store disk: --prompt x --model-preset tiny | the store needs a folder: disk:DIR",
        "generate --store disk:pom.xml/x --prompt x --model-preset tiny | pom.xml",
        "generate --store disk:x --store-bytes 1kB --prompt x | a store on disk needs at least",
        "generate --store disk:x --store-owners 2 --prompt x | the store disk knows of no cluster",
        "generate --store cluster:a/b --prompt x | a cluster needs a name of letters,",
        "generate --store-min-tokens 0 --store disk:x | --store-min-tokens must be at least 1, not 0",
        "generate --store-dtype f8 --store disk:x | --store-dtype must be one of f32, f16, bf16, i8",
        "generate --store-when later --store disk:x | --store-when must be one of commit, evict",
        "generate --store cluster:x --cluster-peers here | --cluster-peers must be host:port,host:port...",
        "generate --store cluster:x --cluster-peers h:0 | --cluster-peers has a port, in \"h:0\", that must be at least 1",
        "generate --store cluster:x --cluster-dns n --cluster-multicast | --cluster-multicast and --cluster-dns exclude each other",
        "generate --store cluster:x --cluster-xml no-such | --cluster-xml cannot read no-such",
        "generate --store disk:x --store-encrypt pom.xml | the key file pom.xml must hold 32 bytes",
        "serve --cache-files pom.xml | --cache-files needs a folder to read, which pom.xml is not",
        "cache | cache needs one ACTION, not 0",
        "completion tcsh | completion is for bash, zsh, fish, not \"tcsh\"",
        "chat --history no-such-folder/x --model-preset tiny | --history needs a terminal",
        "compare stray | compare takes options only, not \"stray\""
      })
  void refusesBadInputInOneSentence(String args, String sentence) {
    Outcome outcome = run(args.split(" "));
    assertEquals(2, outcome.status(), outcome.err());
    assertEquals("", outcome.out());
    assertTrue(outcome.err().startsWith("kv4j: "), outcome.err());
    assertTrue(outcome.err().contains(sentence), outcome.err());
    assertEquals(1, outcome.err().lines().count(), outcome.err());
  }

  @Test
  void showsWhereAnErrorAroseOnlyIfAsked() {
    assertFalse(run("compare", "--requests", "0").err().contains("\tat "));
    assertTrue(run("compare", "--requests", "0", "--verbose").err().contains("\tat kv4j.apps."));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "compare --requests 2 --new-tokens 2 --cache request",
        "workflow --requests 2 --new-tokens 2 --cache request",
        "generate --prompt x --new-tokens 2",
        "chat"
      })
  void listsTheStepsOfThePlanOnlyIfAsked(String command) {
    String line = command + " --model-preset tiny --threads 1";
    assertFalse(Programs.succeed("", line.split(" ")).err().contains("plan: "));
    Programs.Outcome verbose = Programs.succeed("", (line + " --verbose").split(" "));
    assertTrue(verbose.err().contains("2 layers alike, all fused"), verbose.err());
    assertTrue(verbose.err().matches("(?s).*\\battention/norm +rms norm +fused from .*"));
    assertFalse(verbose.out().contains("plan: "), verbose.out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"compare", "workflow"})
  void runsAndReports(String command, @TempDir Path folder) throws Exception {
    Path json = folder.resolve("report.json");
    String sizes = " --model-preset tiny --cache request --requests 2 --new-tokens 2 --json ";
    Outcome outcome = run((command + sizes + json).split(" "));
    assertEquals(0, outcome.status(), outcome.err());
    assertTrue(outcome.out().contains("identical tokens: yes"), outcome.out());
    for (String line : outcome.out().split("\n")) {
      assertTrue(line.length() <= Terminal.COLUMNS, line);
    }
    JsonNode report = new ObjectMapper().readTree(json.toFile());
    assertEquals("tiny", report.at("/model/preset").asText());
    assertEquals(2, report.at("/rows/1/requests").asInt());
    assertTrue(report.at("/identicalTokens").asBoolean());
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(json), files.toList());
    }
  }

  @Test
  void refusesAGpuThatTheBinaryCannotRunOn() {
    assertTrue(new Devices.Gpu(3, 7).trouble().isEmpty());
    assertTrue(new Devices.Gpu(8, 6).trouble().isEmpty());
    assertTrue(new Devices.Gpu(3, 5).trouble().isPresent());
    assertTrue(new Devices.Gpu(9, 0).trouble().orElseThrow().contains("9.0"));
  }
}
