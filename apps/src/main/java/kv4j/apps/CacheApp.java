package kv4j.apps;

import static kv4j.apps.cli.Dispatcher.flag;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import kv4j.apps.cli.Command;
import kv4j.apps.cli.Plugins;
import kv4j.apps.cli.Terminal;
import kv4j.apps.cli.ValueOption;
import kv4j.apps.cli.Values;
import kv4j.apps.report.JsonFile;
import kv4j.apps.store.InventoryReport;
import kv4j.apps.store.Places;
import kv4j.apps.store.Pruning;
import kv4j.apps.store.Selection;
import kv4j.apps.store.StoreTools;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** Looks after blocks that outlive processes, in stores and in files: {@code kv4j cache}. */
public final class CacheApp implements Command {
  private static final String FORCE = "force";
  private static final String SALVAGE = "salvage";
  private static final String DELETE = "delete";
  private static final String DAMAGED = "damaged";

  private static final ValueOption<Duration> OLDER_THAN =
      ValueOption.optional(
          "older-than", "TIME", "prune: what was written so long ago", Values::duration);
  private static final ValueOption<Long> TO_BYTES =
      ValueOption.optional(
          "to-bytes",
          "SIZE",
          "prune: the oldest, until what is left takes no more than this",
          Values::bytes);

  /** What is done, and with what. */
  private enum Action {
    SAVE("STORE FILE"),
    LOAD("FILE STORE"),
    LIST("STORE|FILE"),
    VERIFY("STORE|FILE"),
    PRUNE("STORE|FILE");

    private final String operands;

    Action(String operands) {
      this.operands = operands;
    }
  }

  public static void main(String[] args) {
    Main.main(new CacheApp(), args);
  }

  @Override
  public String name() {
    return "cache";
  }

  @Override
  public String description() {
    return "save, load, list, verify and prune what stores keep of prompts";
  }

  @Override
  public Optional<String> operand() {
    return Optional.of("ACTION");
  }

  @Override
  public boolean takesMoreOperands() {
    return true;
  }

  @Override
  public List<String> operandChoices() {
    return Values.names(Action.class);
  }

  @Override
  public List<String> examples() {
    return List.of(
        "cache list disk:blocks",
        "cache save disk:blocks prefixes.kvc --chain 3f2a",
        "cache load prefixes.kvc disk:elsewhere",
        "cache verify disk:blocks --delete",
        "cache prune disk:blocks --older-than 30d --to-bytes 10GiB");
  }

  @Override
  public Options options() {
    Options options = new Options();
    Selection.options().forEach(options::addOption);
    options
        .addOption(OLDER_THAN.option())
        .addOption(TO_BYTES.option())
        .addOption(flag(DAMAGED, "prune: what is damaged"))
        .addOption(flag(DELETE, "verify: remove what is damaged"))
        .addOption(flag(FORCE, "save: replace the file if there is one"))
        .addOption(flag(SALVAGE, "load: what is left of a file that is not whole"))
        .addOption(ReportFiles.jsonOption());
    Places.options().forEach(options::addOption);
    return options.addOption(Plugins.OPTION.option());
  }

  @Override
  public void run(CommandLine line, Terminal terminal) throws Exception {
    List<String> operands = line.getArgList();
    Action action = action(operands.get(0));
    List<String> names = operands.subList(1, operands.size());
    if (names.size() != action.operands.split(" ").length) {
      throw new IllegalArgumentException(
          "cache %s needs %s".formatted(operands.get(0), action.operands));
    }
    checkUse(line, action);
    Places places = Places.read(line, Plugins.loader(line));
    Selection selection = Selection.read(line);
    StoreTools tools = new StoreTools(places.check(), selection, terminal);
    switch (action) {
      case SAVE -> save(tools, places, names, line.hasOption(FORCE));
      case LOAD -> load(tools, places, names, line.hasOption(SALVAGE));
      case LIST -> list(tools, places, names.get(0), ReportFiles.json(line, terminal), terminal);
      case VERIFY -> {
        try (var place = places.open(names.get(0))) {
          tools.verify(place, names.get(0), line.hasOption(DELETE));
        }
      }
      case PRUNE -> prune(tools, places, names.get(0), line);
    }
  }

  private static Action action(String name) {
    try {
      return Values.oneOf(Action.class, name);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("cache's ACTION " + e.getMessage(), e);
    }
  }

  /** What the action has no use for must not be asked for. */
  private static void checkUse(CommandLine line, Action action) {
    Set<Action> selecting = EnumSet.complementOf(EnumSet.of(Action.VERIFY));
    Selection.options().forEach(option -> refuse(line, option.getLongOpt(), selecting, action));
    Set<Action> pruning = EnumSet.of(Action.PRUNE);
    for (String name : List.of(OLDER_THAN.name(), TO_BYTES.name(), DAMAGED)) {
      refuse(line, name, pruning, action);
    }
    refuse(line, DELETE, EnumSet.of(Action.VERIFY), action);
    refuse(line, FORCE, EnumSet.of(Action.SAVE), action);
    refuse(line, SALVAGE, EnumSet.of(Action.LOAD), action);
    refuse(line, ReportFiles.jsonOption().getLongOpt(), EnumSet.of(Action.LIST), action);
  }

  private static void refuse(CommandLine line, String option, Set<Action> takers, Action action) {
    if (line.hasOption(option) && !takers.contains(action)) {
      throw new IllegalArgumentException(
          "cache %s has no use for --%s".formatted(Values.name(action), option));
    }
  }

  private static void save(StoreTools tools, Places places, List<String> names, boolean force)
      throws Exception {
    Path file = places.file(names.get(1));
    if (Files.exists(file) && !force) {
      throw new IllegalArgumentException(file + " exists already; --force replaces it");
    }
    try (var store = places.store(names.get(0), true)) {
      tools.save(store, names.get(0), file);
    }
  }

  private static void load(StoreTools tools, Places places, List<String> names, boolean salvage)
      throws Exception {
    try (var file = places.archive(names.get(0));
        var store = places.store(names.get(1), false)) {
      tools.load(file, store, names.get(0) + " into " + names.get(1), salvage);
    }
  }

  private static void list(
      StoreTools tools, Places places, String name, Optional<JsonFile> json, Terminal terminal)
      throws Exception {
    InventoryReport report;
    try (var place = places.open(name)) {
      report = tools.list(place, name);
    }
    JsonFile.forPeople(json, terminal).write(report.text(Instant.now()));
    if (json.isPresent()) {
      json.get().write(report);
    }
  }

  private static void prune(StoreTools tools, Places places, String name, CommandLine line)
      throws Exception {
    Pruning pruning = new Pruning(OLDER_THAN.find(line), TO_BYTES.find(line));
    boolean damaged = line.hasOption(DAMAGED);
    boolean blocks = pruning.isLimited() || !tools.selection().isAll();
    if (!blocks && !damaged) {
      throw new IllegalArgumentException(
          "cache prune needs to be told what: --older-than, --to-bytes, --damaged, --model, --tenant or --chain");
    }
    try (var place = places.open(name)) {
      tools.prune(place, name, blocks ? Optional.of(pruning) : Optional.empty(), damaged);
    }
  }
}
