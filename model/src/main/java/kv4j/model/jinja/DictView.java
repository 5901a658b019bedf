package kv4j.model.jinja;

import java.util.List;

/** What a dict's {@code keys()}, {@code values()} and {@code items()} answer with. */
record DictView(Part part, Dict dict) implements TemplateObject {
  enum Part {
    KEYS,
    VALUES,
    ITEMS
  }

  List<Object> list() {
    return switch (part) {
      case KEYS -> dict.keys();
      case VALUES -> dict.values();
      case ITEMS -> dict.items();
    };
  }

  @Override
  public String typeName() {
    return switch (part) {
      case KEYS -> "dict_keys";
      case VALUES -> "dict_values";
      case ITEMS -> "dict_items";
    };
  }

  @Override
  public String repr() {
    return typeName() + "(" + Printer.repr(list()) + ")";
  }

  @Override
  public boolean truth() {
    return dict.size() > 0;
  }
}
