package kv4j.apps.html;

import java.io.StringWriter;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/**
 * Writes elements that a reader of HTML and a parser of XML understand alike. All text is escaped,
 * and what neither may contain is replaced.
 */
final class Markup {
  /** What XML cannot have: control characters, and halves of characters. */
  private static final String UNFIT =
      "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffe\\uffff\\ud800-\\udfff]";

  private interface Write {
    void run() throws XMLStreamException;
  }

  private final StringWriter text = new StringWriter();
  private final XMLStreamWriter out;

  Markup() {
    text.write("<!DOCTYPE html>\n");
    try {
      out = XMLOutputFactory.newFactory().createXMLStreamWriter(text);
    } catch (XMLStreamException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void write(Write write) {
    try {
      write.run();
    } catch (XMLStreamException e) { // there is nothing to fail: it is written to memory
      throw new IllegalStateException(e);
    }
  }

  private static String fit(String text) {
    return text.replaceAll(UNFIT, "\ufffd");
  }

  /**
   * Begins an element.
   *
   * @param attributes names and values by turns
   */
  void open(String element, Object... attributes) {
    write(
        () -> {
          out.writeStartElement(element);
          for (int i = 0; i < attributes.length; i += 2) {
            out.writeAttribute(attributes[i].toString(), fit(attributes[i + 1].toString()));
          }
        });
  }

  /** Ends the element that began last. */
  void close() {
    write(out::writeEndElement);
  }

  /** Adds text. */
  void text(String added) {
    write(() -> out.writeCharacters(fit(added)));
  }

  /** Adds an element with nothing but text in it. */
  void element(String element, String content, Object... attributes) {
    open(element, attributes);
    text(content);
    close();
  }

  /** All there is. */
  @Override
  public String toString() {
    write(out::flush);
    return text.toString();
  }
}
