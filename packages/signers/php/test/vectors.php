<?php

/** Run the test vectors: php test/vectors.php */

declare(strict_types=1);

require __DIR__ . '/../src/Signer.php';

use Darkroom\Signer;

function check(bool $holds, string $what): void
{
    if (!$holds) {
        fwrite(STDERR, "failed: $what\n");
        exit(1);
    }
}

function refused(callable $call): bool
{
    try {
        $call();
    } catch (InvalidArgumentException) {
        return true;
    }

    return false;
}

$document = json_decode(file_get_contents(__DIR__ . '/../../signing.json'), true, 16, JSON_THROW_ON_ERROR);
$signer = new Signer('', $document['key']);
$vectors = [...$document['images'], ...$document['targets']];
foreach ($vectors as $vector) {
    check($signer->sign($vector['target'], $vector['expires']) === $vector['signed'], $vector['target']);
}
foreach ($document['images'] as $vector) {
    $url = (new Signer('https://images.example.com/', $document['key']))
        ->url($vector['image'], $vector['options'], $vector['expires']);
    check($url === 'https://images.example.com' . $vector['signed'], $vector['target']);
}
foreach ($document['extensions'] as $vector) {
    $url = (new Signer('https://images.example.com/', $document['key']))
        ->extension($vector['image'], $vector['name'], $vector['options'], $vector['expires']);
    check($url === 'https://images.example.com' . $vector['signed'], $vector['target']);
}
foreach ($document['messages'] as $vector) {
    $signature = Signer::signMessage($vector['text'], $document['key'], $vector['purpose']);
    check($signature === $vector['signature'], "{$vector['purpose']}: {$vector['text']}");
}
$date = new DateTimeImmutable('@5');
check($signer->url('a.jpg', ['w' => 1, 'gray' => true], $date) === $signer->sign('/a.jpg?gray=1&w=1', 5), 'a date');
foreach (['', 'a//b.jpg', '../a.jpg', 'a/./b.jpg', 'a.jpg/_/w-9.webp'] as $image) {
    check(refused(fn () => $signer->url($image)), "key '$image'");
    check(refused(fn () => $signer->extension($image, 'example', ['w' => 64])), "extension of '$image'");
    check(refused(fn () => $signer->sign("/$image?w=1")), "path '$image'");
}
check(refused(fn () => $signer->sign('a.jpg')), 'a relative path');
check(refused(fn () => new Signer('', '')), 'an empty key');
check(refused(fn () => Signer::signMessage('upload-token:MTkw', 'key')), 'a text without a slash');
check(refused(fn () => Signer::signMessage('/a.jpg', '')), 'an empty key of a message');
echo count($vectors) + count($document['extensions']) + count($document['messages']), " vectors\n";
