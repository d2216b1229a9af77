import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** Writes a field of a message (https://protobuf.dev/programming-guides/encoding). */
export type Field = (writer: BinaryWriter) => void;

export const double =
  (number: number, value: number): Field =>
  (writer) =>
    writer.tag(number, WireType.Bit64).double(value);

export const float =
  (number: number, value: number): Field =>
  (writer) =>
    writer.tag(number, WireType.Bit32).float(value);

/** Of an int32, int64, enum or bool. */
export const integer =
  (number: number, value: number): Field =>
  (writer) =>
    writer.tag(number, WireType.Varint).int64(value);

export const string =
  (number: number, value: string): Field =>
  (writer) =>
    writer.tag(number, WireType.LengthDelimited).string(value);

export const bytes =
  (number: number, value: Uint8Array): Field =>
  (writer) =>
    writer.tag(number, WireType.LengthDelimited).bytes(value);

export const message =
  (number: number, fields: readonly Field[]): Field =>
  (writer) => {
    writer.tag(number, WireType.LengthDelimited).fork();
    for (const field of fields) field(writer);
    writer.join();
  };

/** A message by itself. */
export function encode(fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const field of fields) field(writer);
  return writer.finish();
}
