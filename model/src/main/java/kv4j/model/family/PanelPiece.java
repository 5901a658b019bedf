package kv4j.model.family;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import kv4j.model.format.TensorSource;
import kv4j.model.format.block.TensorType;
import kv4j.model.weight.PanelPacker;
import kv4j.model.weight.Panels;

/**
 * Rows of a tensor that go into panels: the outputs of one panel, or where the tensor has inputs
 * first, some inputs of all panels.
 *
 * @param panels where the tensor goes
 * @param panel which one, or negative for all of them
 * @param firstRow first row of the tensor to read
 * @param endRow the row after the last
 */
record PanelPiece(Part part, Panels panels, int panel, int firstRow, int endRow) implements Piece {
  /** Inputs that are put together. */
  private static final int INPUTS = 64;

  /** All pieces of a tensor. */
  static List<PanelPiece> of(Part part, Panels panels) {
    List<PanelPiece> pieces = new ArrayList<>();
    if (!part.outputsFirst()) {
      for (int row = 0; row < part.rows(); row += INPUTS) {
        int end = Math.min(part.rows(), row + INPUTS);
        pieces.add(new PanelPiece(part, panels, -1, row, end));
      }
      return pieces;
    }
    for (int panel = 0; panel < panels.count(); panel++) {
      int first = Integer.MAX_VALUE;
      int last = 0;
      for (int lane = 0; lane < panels.outputsOf(panel); lane++) {
        int row = part.source(panel * Panels.WIDTH + lane);
        first = Math.min(first, row);
        last = Math.max(last, row);
      }
      pieces.add(new PanelPiece(part, panels, panel, first, last + 1));
    }
    return pieces;
  }

  @Override
  public long bytes() {
    return panel >= 0
        ? panels.size() / panels.count()
        : panels.size() * (endRow - firstRow) / part.rows();
  }

  @Override
  public boolean read(TensorSource source, Room room) {
    ByteBuffer stored = rows(source, room);
    if (panel < 0) {
      int rowBytes = stored.remaining() / (endRow - firstRow);
      for (int row = firstRow; row < endRow; row++) {
        PanelPacker.putInput(panels, row, stored.slice((row - firstRow) * rowBytes, rowBytes));
      }
      return panels.isFinite(firstRow, endRow);
    }
    int[] rows = new int[panels.outputsOf(panel)];
    for (int lane = 0; lane < rows.length; lane++) {
      rows[lane] = part.source(panel * Panels.WIDTH + lane) - firstRow;
    }
    PanelPacker.put(panels, panel, stored, rows, room.scratch());
    return panels.isFinite(panel);
  }

  /** The rows in the panels' type. */
  private ByteBuffer rows(TensorSource source, Room room) {
    TensorType type = panels.type();
    long elements = (long) (endRow - firstRow) * part.rowLength();
    ByteBuffer stored = room.stored(elements / type.blockElements() * type.blockBytes());
    if (type == source.type(part.tensor())) {
      source.readStored(part.tensor(), firstRow, stored);
    } else { // which only floats may be
      source.readRows(part.tensor(), firstRow, stored.asFloatBuffer());
    }
    return stored.position(0);
  }
}
