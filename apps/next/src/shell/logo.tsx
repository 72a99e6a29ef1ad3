/** The tern, our mark, in the colour of the text around it. */
export function Logo() {
  return (
    <svg viewBox="0 0 64 64" width="36" height="36" aria-hidden="true" fill="currentColor">
      <g transform="translate(36 32) rotate(-17) scale(.068)">
        <path d="M84-30C80-110 76-172 44-218 0-276-96-356-250-440-168-330-104-252-82-190-62-130-56-70-66-10Z" />
        <path d="M76 8c32 76 40 142 8 202C40 280-40 356-190 446-120 346-84 268-72 204-60 140-58 84-78 34Z" />
        <path d="M260-4 150-24C126-44 92-46 66-36 14-26-60-14-150 6L-410-34c80 38 148 56 204 62L-396 96c106-20 196-36 266-52C-50 56 64 44 118 20 140 14 160 8 260-4Z" />
      </g>
    </svg>
  );
}
